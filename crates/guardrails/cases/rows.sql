INSERT INTO users (email, name, status, active, age, balance, notes, deleted_at, created_at, last_login)
SELECT 'user' || i || CASE WHEN i % 9 = 0 THEN '@example.com' WHEN i % 9 = 1 THEN '@old.example' ELSE '@shop.test' END,
       CASE WHEN i % 6 = 0 THEN 'bob ' || i WHEN i % 6 = 1 THEN 'Anna' || i ELSE 'Name' || i END,
       (ARRAY['active', 'gone', 'vip', 'new', 'old', 'banned'])[1 + i % 6], i % 3 <> 0,
       CASE WHEN i % 10 = 0 THEN NULL ELSE i % 80 END, (i % 7) * 10 - 20,
       CASE WHEN i % 4 = 0 THEN NULL WHEN i % 4 = 1 THEN '' ELSE 'tmp note ' || i END,
       CASE WHEN i % 8 = 0 THEN now() - interval '5 days' END, now() - i * interval '15 days',
       CASE WHEN i % 5 <> 0 THEN now() - i * interval '5 days' END
  FROM generate_series(1, 200) AS i;
INSERT INTO orders (user_id, status, total, created_at)
SELECT 1 + i % 150, (ARRAY['new', 'paid', 'sent', 'cancelled'])[1 + i % 4]::order_status, i % 100, now() - i * interval '3 days'
  FROM generate_series(1, 400) AS i;
INSERT INTO order_items (order_id, sku, qty, price)
SELECT 1 + i % 400, 'sku' || i % 40, 1 + i % 6, (i % 50) / 2.0 FROM generate_series(1, 800) AS i;
INSERT INTO sessions (token, user_id, expires_at, data)
SELECT 'tok' || i, CASE WHEN i % 5 <> 0 THEN i END, now() + (i - 50) * interval '40 days',
       CASE WHEN i % 2 = 0 THEN '{}' ELSE jsonb_build_object('n', i, 'x', 'y') END
  FROM generate_series(1, 100) AS i;
INSERT INTO staging_prices SELECT 'sku' || i, i FROM generate_series(20, 60) AS i;
INSERT INTO audit_log (what) SELECT 'event ' || i FROM generate_series(1, 50) AS i;
INSERT INTO "Weird Table" SELECT i, 'x' FROM generate_series(1, 10) AS i;
ANALYZE;
