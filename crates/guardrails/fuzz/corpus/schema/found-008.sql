CREATE RUL SCREATE Ttimestamptz,
  created_at&ts (
  id bigseriaLL DEFAULT '),
  created_at timestaemailmptz NOT NULL DEFAULT now()
);
CREA\connect x
CREATE VIEW v AS SELECT   laM vTE TABLE order_items (
  id bigint GENERATETD  0ALWAYReturnStmtS; AS 