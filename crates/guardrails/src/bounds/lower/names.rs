//! What names tell when there is nothing better to go by.

pub(super) fn is_bookkeeping(name: &str) -> bool {
    matches!(name, "tableoid" | "xmax" | "cmin" | "cmax")
}

pub(super) fn is_past(name: &str) -> bool {
    let stem = name
        .trim_end_matches("_at")
        .trim_end_matches("_on")
        .trim_end_matches("_date")
        .trim_end_matches("_time");
    matches!(
        stem,
        "created"
            | "inserted"
            | "updated"
            | "modified"
            | "registered"
            | "joined"
            | "logged"
            | "occurred"
            | "recorded"
            | "date_created"
            | "date_joined"
            | "signup"
    )
}

pub(super) fn is_amount(name: &str) -> bool {
    matches!(
        name,
        "price"
            | "quantity"
            | "qty"
            | "age"
            | "count"
            | "size"
            | "length"
            | "total"
            | "amount"
            | "stock"
            | "weight"
            | "views"
            | "attempts"
    ) || ["_count", "_size", "_length", "_price", "_qty", "_cents", "_bytes", "price_cents"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Without a catalogue: columns that usually have a value in every row.
pub(super) fn may_be_null(name: &str) -> bool {
    !(matches!(
        name,
        "name"
            | "email"
            | "username"
            | "login"
            | "title"
            | "status"
            | "state"
            | "type"
            | "kind"
            | "code"
            | "sku"
            | "slug"
            | "active"
            | "enabled"
            | "created_at"
            | "updated_at"
            | "inserted_at"
            | "created_on"
            | "updated_on"
            | "created"
            | "updated"
            | "version"
            | "balance"
            | "amount"
            | "price"
            | "total"
            | "quantity"
            | "qty"
    ) || name.starts_with("is_")
        || name.starts_with("has_"))
}

pub(super) const AGGREGATES: &[&str] = &[
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "array_agg",
    "string_agg",
    "bool_and",
    "bool_or",
    "every",
    "json_agg",
    "jsonb_agg",
    "json_object_agg",
    "jsonb_object_agg",
    "xmlagg",
    "bit_and",
    "bit_or",
    "stddev",
    "variance",
    "percentile_cont",
    "percentile_disc",
    "mode",
    "corr",
];

/// Operators that give null for a null operand only.
pub(super) const STRICT_OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "^", "||", "=", "<>", "!=", "<", "<=", ">", ">=", "&", "|", "#", "~", "<<",
    ">>", "~~", "!~~", "~~*", "!~~*", "!~", "~*", "!~*", "^@",
];

/// Functions that never give null.
pub(super) const NEVER_NULL: &[&str] =
    &["concat", "num_nulls", "num_nonnulls", "now", "json_build_object", "jsonb_build_object"];

/// Functions that give null for a null argument only.
pub(super) const STRICT: &[&str] = &[
    "abs",
    "sign",
    "floor",
    "ceil",
    "ceiling",
    "round",
    "trunc",
    "mod",
    "power",
    "sqrt",
    "lower",
    "upper",
    "initcap",
    "btrim",
    "trim",
    "ltrim",
    "rtrim",
    "length",
    "char_length",
    "character_length",
    "octet_length",
    "left",
    "right",
    "lpad",
    "rpad",
    "repeat",
    "replace",
    "reverse",
    "translate",
    "substr",
    "split_part",
    "md5",
    "sha256",
    "encode",
    "position",
    "strpos",
    "ascii",
    "chr",
    "to_char",
    "date_trunc",
    "date_part",
    "extract",
    "date",
    "timezone",
    "age",
    "make_date",
    "cardinality",
    "to_tsvector",
    "setweight",
    "concat_ws",
    "format",
    "starts_with",
    "regexp_replace",
    "hashtext",
    "int4range",
    "daterange",
    "tsrange",
    "tstzrange",
    "numrange",
    "int8range",
];
