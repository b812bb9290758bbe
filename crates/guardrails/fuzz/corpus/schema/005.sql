\connect x
CREATE VIEW v AS SELECT * FROM v;