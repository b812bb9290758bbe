//! SQL to facts to verdict, by PostgreSQL's own grammar.
