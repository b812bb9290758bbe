\connect x
CREATE VIEW v AS SELECT ãããããããããããããããããããããããOM v;