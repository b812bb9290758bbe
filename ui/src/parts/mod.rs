//! The component kit: what pages are made of. Plain markup and classes; the look is in `ui/static`.

mod controls;
mod dialog;
mod duration;
mod feedback;
mod icon;
mod people;
mod risk;
mod shell;
mod table;
mod tags;
mod time;

pub use controls::{Button, Check, Field, Segmented, Select, TextArea, TextInput, Weight, option};
pub use dialog::{Confirm, Dialog};
pub use duration::DurationPicker;
pub use feedback::{Banner, EmptyState, Kbd, Skeleton, Toast, Toasts, problem_text};
pub use icon::{glyph, icon, kind_icon};
pub use people::{Person, Stages};
pub use risk::{RiskBadge, RiskPanel};
pub use shell::{Shell, mark};
pub use table::{focus, keys_are_free, move_selection, use_escape};
pub use tags::{EnvironmentTag, SensitivityTag, Tag};
pub use time::{Countdown, Timeline, TimelineItem};
