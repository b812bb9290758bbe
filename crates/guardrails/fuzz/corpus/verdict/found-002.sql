truncate table pgbencccounts, pgbench_branches, pgbench_historSELECT c.oid::pg_catalog.regclass
FROM pg_cata%og.pg_classœ179ré