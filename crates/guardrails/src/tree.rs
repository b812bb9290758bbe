//! PostgreSQL's parse tree as a plain, uniform tree.
//!
//! The typed tree of `pg_query` has 270 node types and its own iterators skip about half of the places where a
//! statement can hide. Every one of its types is `Serialize`, so a serializer sees all of them: this one builds nodes
//! that know their type name, their fields and therefore all of their children. Nothing can be missed by a walk over it.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::ser::{self, Serialize};

/// One node: the name of its type and its fields that differ from the default.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub kind: &'static str,
    fields: Vec<(&'static str, Value)>,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Empty,
    Bool(bool),
    Int(i64),
    Text(String),
    Node(Node),
    List(Vec<Value>),
}

impl Node {
    /// Builds the tree of anything that serializes as a struct.
    pub fn of<T: Serialize>(value: &T) -> Option<Node> {
        match value.serialize(Builder) {
            Ok(Value::Node(node)) => Some(node),
            _ => None,
        }
    }

    /// A node that no text was parsed for.
    pub fn new(kind: &'static str, fields: Vec<(&'static str, Value)>) -> Node {
        Node { kind, fields }
    }

    /// A string constant.
    pub fn of_text(text: &str) -> Node {
        let text = Node::new("String", vec![("sval", Value::Text(text.to_owned()))]);
        Node::new("AConst", vec![("val", Value::Node(text))])
    }

    /// A name, of one part or several.
    pub fn of_name(path: &[&str]) -> Node {
        let part =
            |name: &&str| Value::Node(Node::new("String", vec![("sval", Value::Text((*name).to_owned()))]));
        Node::new("ColumnRef", vec![("fields", Value::List(path.iter().map(part).collect()))])
    }

    /// Puts `value` into a field; `Empty` takes the field away.
    pub fn set(&mut self, field: &'static str, value: Value) {
        self.fields.retain(|(name, _)| *name != field);
        if value != Value::Empty {
            self.fields.push((field, value));
        }
    }

    /// A copy with other nodes in the place of some; what is put in is not looked into.
    pub fn replaced(&self, change: &mut dyn FnMut(&Node) -> Option<Node>) -> Node {
        fn within(value: &Value, change: &mut dyn FnMut(&Node) -> Option<Node>) -> Value {
            match value {
                Value::Node(node) => Value::Node(node.replaced(change)),
                Value::List(items) => Value::List(items.iter().map(|item| within(item, change)).collect()),
                other => other.clone(),
            }
        }
        if let Some(other) = change(self) {
            return other;
        }
        let fields = self.fields.iter().map(|(name, value)| (*name, within(value, change))).collect();
        Node { kind: self.kind, fields }
    }

    fn get(&self, field: &str) -> Option<&Value> {
        self.fields.iter().find_map(|(name, value)| (*name == field).then_some(value))
    }

    pub fn node(&self, field: &str) -> Option<&Node> {
        match self.get(field) {
            Some(Value::Node(node)) => Some(node),
            _ => None,
        }
    }

    /// The nodes of a list field; the items of a `List` node inside it are not flattened.
    pub fn nodes(&self, field: &str) -> impl DoubleEndedIterator<Item = &Node> {
        let items: &[Value] = match self.get(field) {
            Some(Value::List(items)) => items,
            _ => &[],
        };
        items.iter().filter_map(|item| match item {
            Value::Node(node) => Some(node),
            _ => None,
        })
    }

    pub fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    pub fn text(&self, field: &str) -> &str {
        match self.get(field) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    pub fn int(&self, field: &str) -> i64 {
        match self.get(field) {
            Some(Value::Int(number)) => *number,
            _ => 0,
        }
    }

    pub fn flag(&self, field: &str) -> bool {
        matches!(self.get(field), Some(Value::Bool(true)))
    }

    /// The byte position in the text that the parser gave, when it gave one.
    pub fn location(&self) -> Option<usize> {
        match self.get("location") {
            Some(Value::Int(at)) => usize::try_from(*at).ok(),
            Some(_) => None,
            None => LOCATED.contains(&self.kind).then_some(0),
        }
    }

    /// The `String` items of a list field, such as a qualified name.
    pub fn strings(&self, field: &str) -> Vec<&str> {
        self.nodes(field).filter(|item| item.kind == "String").map(|item| item.text("sval")).collect()
    }

    /// The nodes directly below this one, whatever field they are in.
    pub fn children(&self) -> Vec<&Node> {
        fn gather<'a>(value: &'a Value, into: &mut Vec<&'a Node>) {
            match value {
                Value::Node(node) => into.push(node),
                Value::List(items) => items.iter().for_each(|item| gather(item, into)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        for (_, value) in &self.fields {
            gather(value, &mut found);
        }
        found
    }

    /// Calls `visit` for this node and all below it; a `false` answer does not go below that node.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Node) -> bool) {
        if visit(self) {
            for child in self.children() {
                child.walk(visit);
            }
        }
    }

    /// Equal for nodes that say the same, wherever in the text they stand.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.feed(&mut hasher);
        hasher.finish()
    }

    fn feed(&self, hasher: &mut DefaultHasher) {
        self.kind.hash(hasher);
        for (name, value) in &self.fields {
            if !matches!(
                *name,
                "location" | "rexpr_list_start" | "rexpr_list_end" | "list_start" | "list_end"
            ) {
                name.hash(hasher);
                value.feed(hasher);
            }
        }
    }
}

impl Value {
    fn feed(&self, hasher: &mut DefaultHasher) {
        match self {
            Value::Empty => 0u8.hash(hasher),
            Value::Bool(truth) => truth.hash(hasher),
            Value::Int(number) => number.hash(hasher),
            Value::Text(text) => text.hash(hasher),
            Value::Node(node) => node.feed(hasher),
            Value::List(items) => {
                items.len().hash(hasher);
                items.iter().for_each(|item| item.feed(hasher));
            }
        }
    }

    fn is_default(&self) -> bool {
        match self {
            Value::Empty | Value::Bool(false) | Value::Int(0) => true,
            Value::Text(text) => text.is_empty(),
            Value::List(items) => items.is_empty(),
            _ => false,
        }
    }
}

/// Kinds whose `location` is left out when it is zero.
const LOCATED: &[&str] = &[
    "AConst",
    "AExpr",
    "BoolExpr",
    "ColumnRef",
    "FuncCall",
    "RangeVar",
    "SubLink",
    "NullTest",
    "BooleanTest",
    "ParamRef",
    "TypeCast",
    "CaseExpr",
    "CoalesceExpr",
    "MinMaxExpr",
    "RowExpr",
    "AArrayExpr",
    "SqlValueFunction",
];

struct Builder;

struct Fields {
    kind: &'static str,
    fields: Vec<(&'static str, Value)>,
}

struct Items(Vec<Value>);

/// Building a tree cannot fail; serde wants an error type.
#[derive(Debug)]
struct Never;

impl fmt::Display for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot build the tree")
    }
}

impl std::error::Error for Never {}

impl ser::Error for Never {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Never
    }
}

macro_rules! integers {
    ($($method:ident $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<Value, Never> {
            Ok(i64::try_from(value).map_or(Value::Empty, Value::Int))
        })*
    };
}

impl ser::Serializer for Builder {
    type Ok = Value;
    type Error = Never;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Items;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    integers!(serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_u8 u8,
        serialize_u16 u16, serialize_u32 u32, serialize_u64 u64);

    fn serialize_bool(self, value: bool) -> Result<Value, Never> {
        Ok(Value::Bool(value))
    }

    fn serialize_f32(self, value: f32) -> Result<Value, Never> {
        Ok(Value::Text(value.to_string()))
    }

    fn serialize_f64(self, value: f64) -> Result<Value, Never> {
        Ok(Value::Text(value.to_string()))
    }

    fn serialize_char(self, value: char) -> Result<Value, Never> {
        Ok(Value::Text(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Result<Value, Never> {
        Ok(Value::Text(value.to_owned()))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Value, Never> {
        Ok(Value::Empty)
    }

    fn serialize_none(self) -> Result<Value, Never> {
        Ok(Value::Empty)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Value, Never> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Never> {
        Ok(Value::Empty)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Never> {
        Ok(Value::Empty)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<Value, Never> {
        Ok(Value::Text(name.to_owned()))
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Never> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Never> {
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items, Never> {
        Ok(Items(Vec::with_capacity(length.unwrap_or(0))))
    }

    fn serialize_tuple(self, length: usize) -> Result<Items, Never> {
        Ok(Items(Vec::with_capacity(length)))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Items, Never> {
        Ok(Items(Vec::with_capacity(length)))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        length: usize,
    ) -> Result<Items, Never> {
        Ok(Items(Vec::with_capacity(length)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Items, Never> {
        Ok(Items(Vec::new()))
    }

    fn serialize_struct(self, kind: &'static str, _: usize) -> Result<Fields, Never> {
        Ok(Fields { kind, fields: Vec::new() })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        kind: &'static str,
        _: usize,
    ) -> Result<Fields, Never> {
        Ok(Fields { kind, fields: Vec::new() })
    }
}

macro_rules! item_lists {
    ($($trait:ident $method:ident),*) => {
        $(impl ser::$trait for Items {
            type Ok = Value;
            type Error = Never;

            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Never> {
                self.0.push(value.serialize(Builder)?);
                Ok(())
            }

            fn end(self) -> Result<Value, Never> {
                Ok(Value::List(self.0))
            }
        })*
    };
}

item_lists!(SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field);

impl ser::SerializeMap for Items {
    type Ok = Value;
    type Error = Never;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, _: &T) -> Result<(), Never> {
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Never> {
        self.0.push(value.serialize(Builder)?);
        Ok(())
    }

    fn end(self) -> Result<Value, Never> {
        Ok(Value::List(self.0))
    }
}

impl Fields {
    fn push<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Never> {
        let value = value.serialize(Builder)?;
        if !value.is_default() {
            self.fields.push((name, value));
        }
        Ok(())
    }

    /// `Node` is only an envelope around the real node.
    fn finish(mut self) -> Value {
        if self.kind == "Node" {
            return self.fields.pop().map_or(Value::Empty, |(_, value)| value);
        }
        Value::Node(Node { kind: self.kind, fields: self.fields })
    }
}

impl ser::SerializeStruct for Fields {
    type Ok = Value;
    type Error = Never;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Never> {
        self.push(name, value)
    }

    fn end(self) -> Result<Value, Never> {
        Ok(self.finish())
    }
}

impl ser::SerializeStructVariant for Fields {
    type Ok = Value;
    type Error = Never;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Result<(), Never> {
        self.push(name, value)
    }

    fn end(self) -> Result<Value, Never> {
        Ok(self.finish())
    }
}
