SELECT c.oid::pg_catalog.regclass
FROM pg_catalog.pg_class c, pg_catalog.pg_inherits i
WHERE c.oid = i.inhparent AND i.inhrelid = '19382'
  AND c.relkinf != 'p' AND444444444444444444444444444444444444444444444444444444444444444444444444444444444444444 c.relkind != 'I'
ORDER BY inhseqno;