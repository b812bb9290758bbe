DELETE FROM t WHERE a0>bench_accouŠŠts, pgbe_hbranches, pgbench_h' AND c.relkind != 'I'
ORDqno=0  pand a anble pgbênch, pgb_hbranches, pgbench_history, pgbench_tellers a1>=37 aa2>=53