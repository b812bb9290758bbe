ALTER DOMAIN unproven DROP CONSTRAINT unproven_low;
INSERT INTO shops (title, code, seats, rent, discount, tax, bonus, contact, spare, late, loose, opened_on, closed_on, mood, rank)
SELECT CASE WHEN i = 3 THEN repeat('t', 40) ELSE 'Shop ' || i END, 'a' || i % 10, 1 + i % 60, 50 * i * i - 200 + CASE WHEN i = 60 THEN 200000 ELSE 0 END,
       CASE WHEN i = 1 THEN 0 WHEN i = 2 THEN 100 ELSE i END, i, CASE WHEN i % 3 > 0 THEN i END,
       CASE WHEN i % 2 = 0 THEN 'm' || i || '@example.org' ELSE repeat('long', 17) || '@old.net' END,
       CASE WHEN i % 4 > 0 THEN 'x' || i || '@y' END, 10 + i % 7, i % 20, DATE '2020-01-01' + i, DATE '2020-01-01' + i + (i % 4) * 14,
       (enum_range(NULL::mood))[1 + i % 3], CASE WHEN i % 5 > 0 THEN (enum_range(NULL::level))[1 + i % 3] END
  FROM generate_series(1, 60) i;
INSERT INTO offers (shop_id, unit_cents, amount, rebate_cents, label, checked, weak_shop)
SELECT i, CASE WHEN i = 40 THEN 0 WHEN i = 41 THEN 900000000 WHEN i = 42 THEN 991 ELSE i * 10 END, CASE WHEN i = 42 THEN 1 ELSE 1 + i % 20 END, CASE WHEN i % 3 > 0 THEN i % 7 END,
       CASE i % 3 WHEN 0 THEN 'sale' WHEN 1 THEN 'SALE' ELSE 'new' END, 6 + i % 9, i
  FROM generate_series(1, 60) i;
ALTER TABLE offers DROP CONSTRAINT offers_checked, DROP CONSTRAINT offers_weak, DROP CONSTRAINT offers_shop_id_fkey;
UPDATE offers SET checked = 2, weak_shop = 900 WHERE id = 4;
INSERT INTO visits SELECT 200 + i, TIMESTAMP '2023-01-01' + i * interval '8 days', i, 'n' FROM generate_series(1, 80) i;
INSERT INTO regions SELECT i, (ARRAY['no', 'se', 'de', NULL])[1 + i % 4], 'r' FROM generate_series(1, 20) i;
INSERT INTO people SELECT i, 18 + i, 'p' || i FROM generate_series(1, 20) i;
INSERT INTO children (id, age, name) SELECT 100 + i, CASE WHEN i = 5 THEN 17 ELSE i % 17 END, 'c' || i FROM generate_series(1, 20) i;
INSERT INTO hr.staff SELECT i, 1 + i % 9, NULL, i % 2 = 0 FROM generate_series(1, 20) i;
INSERT INTO t (cur, email, zip, lvl, s, u, price, small, plate, lo, hi, a, b, paid_on, state, doc)
SELECT (ARRAY['EUR', 'USD', 'ABC', 'ZZZ'])[1 + i % 4], 'n' || i || CASE i % 3 WHEN 0 THEN '@old.example' ELSE '@new.example' END,
       CASE WHEN i = 1 THEN '12345' ELSE (10000 + i * 1400)::text END, (ARRAY['low', 'mid', 'top'])[1 + i % 3], (enum_range(NULL::st))[1 + i % 3],
       CASE i WHEN 1 THEN '3f2a6c1e-9b0d-4e57-8a41-c5d27e90b6f3' WHEN 2 THEN '00000000-0000-0000-0000-000000000000' WHEN 3 THEN 'ab000000-0000-0000-0000-000000000000' ELSE md5(i::text) END::uuid,
       CASE WHEN i = 3 THEN 999999.5 ELSE i * 1.25 END, i - 9, CASE i WHEN 1 THEN 'abcdefghijkl' WHEN 2 THEN ' K1' ELSE 'k' || i END, i % 5, i % 5 + 1 + i % 3,
       CASE WHEN i % 2 = 0 THEN i END, CASE WHEN i % 2 = 1 THEN i END, CASE WHEN i % 2 = 0 THEN DATE '2024-01-01' END, CASE WHEN i % 4 = 0 THEN 'paid' ELSE 'open' END, '{}'
  FROM generate_series(1, 60) i;
INSERT INTO p SELECT i, DATE '2020-01-01' + i * 11 FROM generate_series(1, 30) i;
CREATE TABLE p_rest PARTITION OF p DEFAULT;
INSERT INTO p SELECT 100 + i, DATE '2022-01-01' + i FROM generate_series(1, 5) i;
INSERT INTO base SELECT i, i FROM generate_series(1, 80) i;
INSERT INTO kid SELECT 200 + i, i, i FROM generate_series(1, 10) i;
