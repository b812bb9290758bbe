//! Calls of PostgreSQL's own functions.

use super::Lower;
use super::names::AGGREGATES;
use crate::bounds::Comparison;
use crate::bounds::expr::{Expr, Function};
use crate::bounds::value::Value;
use crate::catalogue::Kind;
use crate::tree::Node;

impl Lower<'_> {
    pub(super) fn function(&mut self, node: &Node) -> Expr {
        let path = node.strings("funcname");
        let name = path.last().copied().unwrap_or("");
        let schema = if path.len() > 1 { path.get(path.len() - 2).copied() } else { None };
        let known_schema = schema.is_none_or(|schema| schema == "pg_catalog");
        if !node.has("over")
            && let Some(inlined) = self.inlined_call(node, schema, name)
        {
            return inlined;
        }
        let arguments = self.list(node, "args");
        if node.has("over") || !known_schema {
            return Expr::Opaque(path.join("."), arguments);
        }
        if let ("min" | "max", [argument], false) = (name, arguments.as_slice(), node.has("agg_filter"))
            && let Some(column) = argument.column()
        {
            return Expr::Extreme { column, largest: name == "max" };
        }
        if AGGREGATES.contains(&name) {
            return if name == "count" {
                // What counts every row has nothing inside.
                let all = !node.has("agg_filter")
                    && arguments.iter().all(|argument| {
                        let column = argument.column().and_then(|id| self.scene.column(id));
                        matches!(argument, Expr::Const(_))
                            || column.is_some_and(|column| column.not_null == Some(true))
                    });
                let parts =
                    if all { Vec::new() } else { vec![Expr::Opaque("counted".to_owned(), Vec::new())] };
                Expr::Call(Function::Tally, parts)
            } else {
                Expr::Opaque(name.to_owned(), Vec::new())
            };
        }
        if let (Some(comparison), 2) = (Comparison::of_function(name), arguments.len()) {
            let mut arguments = arguments.into_iter();
            if let (Some(left), Some(right)) = (arguments.next(), arguments.next()) {
                return Expr::Compare(comparison, Box::new(left), Box::new(right));
            }
            return Expr::Opaque(name.to_owned(), Vec::new());
        }
        let written_out = match name {
            "array_position" => self.position_in(&arguments),
            "round" | "trunc" => self.rounded(&arguments),
            _ => None,
        };
        if let Some(expr) = written_out {
            return expr;
        }
        if name.starts_with("enum_")
            && let Some(labels) = self.labels_called(name, &arguments)
        {
            return labels;
        }
        if arguments.len() == 2
            && let Some(is_largest) = picks_larger(name)
        {
            let null = arguments.iter().map(|part| Expr::IsNull(Box::new(part.clone()))).collect();
            let extreme = self.extreme_of(is_largest, arguments);
            return Expr::Case(vec![(Expr::Or(null), Expr::Const(Value::Null))], Box::new(extreme));
        }
        let function = match name {
            "now" | "clock_timestamp" | "statement_timestamp" | "transaction_timestamp" => Function::Now,
            "length" | "char_length" | "character_length" | "octet_length" | "bit_length" | "textlen" => {
                Function::Length
            }
            "lower" => Function::Lower,
            "upper" => Function::Upper,
            "btrim" | "trim" | "ltrim" | "rtrim" => Function::Trim,
            "abs" => Function::Abs,
            "sign" => Function::Sign,
            "floor" => Function::Floor,
            "ceil" | "ceiling" => Function::Ceil,
            "round" | "trunc" => Function::Round,
            "mod" => Function::Mod,
            "position" | "strpos" => Function::Position,
            "starts_with" => Function::StartsWith,
            "concat" => Function::Concat,
            "date" => Function::Day,
            "date_trunc" | "timezone" | "date_bin" | "to_date" | "to_timestamp" => Function::Truncate,
            "extract" | "date_part" => Function::Extract,
            "isfinite" => Function::IsFinite,
            "make_date" => Function::MakeDate,
            "num_nonnulls" => Function::NonNulls,
            "num_nulls" => Function::Nulls,
            "array_length" => Function::ArrayLength,
            "cardinality" => Function::Cardinality,
            "overlaps" if arguments.len() == 4 => Function::Overlaps,
            "reverse" => Function::Reverse,
            "format" => return formatted(arguments),
            "int4range" | "int8range" | "numrange" | "tsrange" | "tstzrange" | "daterange" => Function::Range,
            "isempty" => Function::IsEmptyRange,
            "range_overlaps" => Function::Overlap,
            "md5" | "sha256" | "hashtext" | "to_json" | "to_jsonb" | "row_to_json" | "quote_nullable"
            | "encode" | "jsonb_build_object" | "json_build_object" | "jsonb_build_array"
            | "json_build_array" | "concat_ws" | "array_to_json" | "hashint4" | "hashint8"
            | "hashtextextended" | "sha224" | "sha384" | "sha512" => Function::Digest,
            // The same for every row.
            "pg_typeof" => return Expr::Opaque(name.to_owned(), Vec::new()),
            "left" => Function::Left,
            "replace" => Function::Replace,
            "pg_column_size" => Function::Tally,
            "regexp_replace" => Function::PatternReplace,
            "regexp_count" => Function::PatternCount,
            "regexp_match" => Function::PatternMatch,
            "substr" | "substring" => Function::Substring,
            "repeat" => Function::Repeat,
            "ascii" => Function::CodeOfFirst,
            "quote_literal" => Function::Quote,
            "jsonb_typeof" | "json_typeof" => Function::JsonType,
            "translate" | "overlay" | "lpad" | "rpad" | "initcap" | "to_char" | "split_part" | "chr"
            | "to_hex" | "decode" | "exp" | "power" | "sqrt" | "cbrt" | "div" | "gcd" | "lcm" | "scale"
            | "width_bucket" | "string_to_array" | "array_append" | "array_prepend" | "array_cat"
            | "array_remove" | "array_replace" | "jsonb_pretty" | "jsonb_strip_nulls" | "justify_days"
            | "justify_hours" | "make_interval" | "make_time" | "make_timestamp" | "host" | "text"
            | "int4" | "int8" | "numeric" | "float8" | "to_number" | "to_tsvector" | "plainto_tsquery"
            | "to_ascii" | "normalize" | "unistr" => Function::Strict,
            "age" => {
                let mut parts = arguments.into_iter();
                let first = parts.next().unwrap_or(Expr::Const(Value::Null));
                let (later, earlier) = match parts.next() {
                    Some(second) => (first, second),
                    None => (Expr::Call(Function::Now, Vec::new()), first),
                };
                return Expr::Arithmetic('-', Box::new(later), Box::new(earlier));
            }
            "textlike" | "like" => {
                let mut parts = arguments.into_iter();
                let text = Box::new(parts.next().unwrap_or(Expr::Const(Value::Null)));
                let pattern = Box::new(parts.next().unwrap_or(Expr::Const(Value::Null)));
                return Expr::Like { text, pattern, escape: Some('\\'), fold_case: false };
            }
            "textregexeq" | "regexp_like" => {
                let mut parts = arguments.into_iter();
                let text = Box::new(parts.next().unwrap_or(Expr::Const(Value::Null)));
                let pattern = Box::new(parts.next().unwrap_or(Expr::Const(Value::Null)));
                let fold_case =
                    matches!(parts.next(), Some(Expr::Const(Value::Text(flags))) if flags.contains('i'));
                return Expr::Match { text, pattern, fold_case };
            }
            _ => return Expr::Opaque(name.to_owned(), arguments),
        };
        if matches!(function, Function::Length | Function::Left) {
            arguments.iter().for_each(|argument| self.measured(argument));
        }
        Expr::Call(function, arguments)
    }
}

/// `format('%s-%s', a, b)` joins its arguments; other ways to format come to something, too.
fn formatted(arguments: Vec<Expr>) -> Expr {
    let mut rest = arguments.iter();
    let Some(Expr::Const(Value::Text(pattern))) = rest.next() else {
        return Expr::Call(Function::Digest, arguments);
    };
    let mut parts = Vec::new();
    for (at, piece) in pattern.split("%s").enumerate() {
        if at > 0 {
            let Some(argument) = rest.next() else { return Expr::Call(Function::Digest, arguments) };
            parts.push(Expr::Cast(Box::new(argument.clone()), Kind::Text));
        }
        if piece.contains('%') {
            return Expr::Call(Function::Digest, arguments);
        }
        parts.push(Expr::Const(Value::Text(piece.to_owned())));
    }
    Expr::Call(Function::Concat, parts)
}

/// `int4larger`, `enum_smaller` and their kin, which aggregates are made of: whether the larger of two is picked.
fn picks_larger(name: &str) -> Option<bool> {
    let (stem, is_largest) = match (name.strip_suffix("larger"), name.strip_suffix("smaller")) {
        (Some(stem), _) => (stem, true),
        (_, Some(stem)) => (stem, false),
        _ => return None,
    };
    matches!(
        stem,
        "int2"
            | "int4"
            | "int8"
            | "float4"
            | "float8"
            | "oid"
            | "cash"
            | "tid"
            | "numeric_"
            | "text_"
            | "bpchar_"
            | "date_"
            | "time_"
            | "timetz_"
            | "timestamp_"
            | "timestamptz_"
            | "interval_"
            | "enum_"
            | "network_"
            | "array_"
    )
    .then_some(is_largest)
}
