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
