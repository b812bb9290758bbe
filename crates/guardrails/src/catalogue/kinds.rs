//! The families of types that matter to a test on a column.

use super::{Catalogue, Size};
use crate::tree::Node;

/// What values a column can hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Kind {
    Bool,
    /// A whole number with its smallest and largest value.
    Integer(f64, f64),
    Decimal,
    Text,
    Time,
    Uuid,
    /// An enumeration, with its labels.
    Labels(Vec<String>),
    Span,
    /// A time of day, as the span since midnight.
    TimeOfDay,
    Range,
    /// Arrays, JSON, geometry and the rest.
    Other,
    /// Nothing is known.
    #[default]
    Unknown,
}

impl Kind {
    /// The family of a `TypeName`.
    pub fn of_type(type_name: &Node, catalogue: Option<&Catalogue>) -> Kind {
        if type_name.has("array_bounds") {
            return Kind::Other;
        }
        let names = type_name.strings("names");
        let Some(name) = names.last() else { return Kind::Unknown };
        Kind::named(name)
            .or_else(|| catalogue.and_then(|catalogue| catalogue.type_kind(name).cloned()))
            .unwrap_or(Kind::Other)
    }

    pub fn named(name: &str) -> Option<Kind> {
        Some(match name {
            "bool" | "boolean" => Kind::Bool,
            "int2" | "smallint" | "smallserial" | "serial2" => Kind::Integer(-32_768.0, 32_767.0),
            "int4" | "int" | "integer" | "serial" | "serial4" => {
                Kind::Integer(-2_147_483_648.0, 2_147_483_647.0)
            }
            "int8" | "bigint" | "bigserial" | "serial8" => {
                Kind::Integer(-9_223_372_036_854_775_808.0, 9_223_372_036_854_775_807.0)
            }
            "oid" | "xid" | "cid" => Kind::Integer(0.0, 4_294_967_295.0),
            "numeric" | "decimal" | "float4" | "float8" | "real" | "money" => Kind::Decimal,
            "text" | "varchar" | "bpchar" | "char" | "name" | "citext" | "character" => Kind::Text,
            "date" | "timestamp" | "timestamptz" => Kind::Time,
            "uuid" => Kind::Uuid,
            "interval" => Kind::Span,
            "time" | "timetz" => Kind::TimeOfDay,
            "int4range" | "int8range" | "numrange" | "daterange" | "tsrange" | "tstzrange" => Kind::Range,
            _ => return None,
        })
    }

    pub fn is_serial_name(name: &str) -> bool {
        matches!(name, "serial" | "bigserial" | "smallserial" | "serial2" | "serial4" | "serial8")
    }
}

impl Size {
    /// What the modifier of a `TypeName` leaves room for.
    pub fn of_type(type_name: &Node) -> Size {
        let mut size = Size::default();
        if type_name.has("array_bounds") {
            return size;
        }
        let modifiers: Vec<f64> = type_name
            .nodes("typmods")
            .map(|modifier| modifier.node("val").map_or(0.0, |value| value.int("ival") as f64))
            .collect();
        match (type_name.strings("names").last().copied(), modifiers.as_slice()) {
            (Some("varchar"), [most]) => size.letters = Some(*most),
            (Some("char"), []) => size.letters = Some(1.0),
            (Some("bpchar" | "character"), [most]) => size.letters = Some(*most),
            (Some("numeric" | "decimal"), [digits, rest @ ..]) => {
                let scale = rest.first().copied().unwrap_or(0.0);
                size.below = Some(10f64.powf(digits - scale));
                size.scale = Some(scale);
            }
            _ => {}
        }
        size
    }

    /// A domain's own modifier wins over none.
    pub fn or(self, other: Size) -> Size {
        Size {
            letters: self.letters.or(other.letters),
            below: self.below.or(other.below),
            scale: self.scale.or(other.scale),
        }
    }
}
