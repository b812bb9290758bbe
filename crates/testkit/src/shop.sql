-- The sample shop. The same rows every time: every value comes from the row's number, none from a clock or from chance.

CREATE TYPE order_status AS ENUM ('placed', 'paid', 'shipped', 'returned', 'cancelled');

CREATE TABLE customers (
    id           integer PRIMARY KEY,
    name         text NOT NULL,
    email        text NOT NULL UNIQUE,
    country      char(2) NOT NULL,
    city         text,
    newsletter   boolean NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL
);

CREATE TABLE products (
    id           integer PRIMARY KEY,
    sku          text NOT NULL UNIQUE,
    name         text NOT NULL,
    category     text NOT NULL,
    price_cents  integer NOT NULL CHECK (price_cents > 0),
    stock        integer NOT NULL CHECK (stock >= 0)
);

CREATE TABLE orders (
    id           integer PRIMARY KEY,
    customer_id  integer NOT NULL REFERENCES customers,
    status       order_status NOT NULL,
    placed_at    timestamptz NOT NULL,
    shipped_at   timestamptz
);

CREATE TABLE order_lines (
    order_id     integer NOT NULL REFERENCES orders,
    line         smallint NOT NULL,
    product_id   integer NOT NULL REFERENCES products,
    quantity     integer NOT NULL CHECK (quantity > 0),
    price_cents  integer NOT NULL CHECK (price_cents > 0),
    PRIMARY KEY (order_id, line)
);

CREATE TABLE payments (
    id           integer PRIMARY KEY,
    order_id     integer NOT NULL REFERENCES orders,
    method       text NOT NULL CHECK (method IN ('card', 'invoice', 'transfer', 'voucher')),
    amount_cents integer NOT NULL CHECK (amount_cents > 0),
    paid_at      timestamptz NOT NULL
);

INSERT INTO customers
SELECT n,
       (ARRAY['Ada','Bram','Chiara','Dalia','Emil','Farah','Goran','Hana','Ines','Jonas','Kaya','Leon','Mira','Nils','Olga','Priya','Quinn','Rosa','Sami','Tove'])[1 + n % 20]
         || ' ' ||
       (ARRAY['Abara','Berg','Costa','Dietz','Eriksen','Fontaine','Grau','Haddad','Ito','Jansen','Kowalski','Lind','Moreau','Novak','Okafor','Petrov','Quist','Rossi','Silva','Tanaka','Ueda','Vogel','Weiss'])[1 + n % 23],
       'customer' || n || '@example.com',
       (ARRAY['DE','FR','NL','SE','PL','ES','IT','AT','DK','FI'])[1 + n * 7 % 10],
       CASE WHEN n % 17 <> 0 THEN (ARRAY['Berlin','Lyon','Utrecht','Malmö','Gdańsk','Sevilla','Torino','Graz','Aarhus','Turku'])[1 + n * 7 % 10] END,
       n % 3 = 0,
       timestamptz '2023-01-01 00:00Z' + n * interval '3 hours 7 minutes'
FROM generate_series(1, 8000) AS n;

INSERT INTO products
SELECT n,
       'SKU-' || lpad(n::text, 5, '0'),
       (ARRAY['Oak','Steel','Linen','Cork','Glass','Wool','Brass','Paper'])[1 + n % 8] || ' ' ||
       (ARRAY['lamp','chair','shelf','mug','rug','clock','frame','basket','desk','vase','hook','stool'])[1 + n % 12],
       (ARRAY['lighting','seating','storage','kitchen','textiles','decoration'])[1 + n % 6],
       490 + n * 137 % 24000,
       n * 31 % 400
FROM generate_series(1, 600) AS n;

INSERT INTO orders
SELECT n,
       1 + n * 7919 % 8000,
       (ARRAY['placed','paid','shipped','shipped','shipped','shipped','shipped','paid','returned','cancelled'])[1 + n % 10]::order_status,
       timestamptz '2024-01-01 00:00Z' + n * interval '22 minutes',
       CASE WHEN n % 10 IN (2, 3, 4, 5, 6, 8) THEN timestamptz '2024-01-01 00:00Z' + n * interval '22 minutes' + (1 + n % 4) * interval '1 day' END
FROM generate_series(1, 36000) AS n;

INSERT INTO order_lines
SELECT o, l, 1 + (o * 31 + l * 97) % 600, 1 + (o + l) % 4, 490 + (1 + (o * 31 + l * 97) % 600) * 137 % 24000
FROM generate_series(1, 36000) AS o, generate_series(1, 1 + o % 5) AS l;

INSERT INTO payments
SELECT n, o.id, (ARRAY['card','card','card','invoice','transfer','voucher'])[1 + n % 6],
       greatest(490, o.id * 37 % 90000), o.placed_at + interval '5 minutes'
FROM (SELECT id, placed_at, row_number() OVER (ORDER BY id)::integer AS n
      FROM orders WHERE status IN ('paid', 'shipped', 'returned')) AS o;

CREATE INDEX orders_by_customer ON orders (customer_id, placed_at);
CREATE INDEX order_lines_by_product ON order_lines (product_id);
CREATE INDEX payments_by_order ON payments (order_id);

CREATE VIEW open_orders AS
SELECT o.id, c.name AS customer, c.country, o.placed_at, count(*) AS lines, sum(l.quantity * l.price_cents) AS total_cents
FROM orders o JOIN customers c ON c.id = o.customer_id JOIN order_lines l ON l.order_id = o.id
WHERE o.status IN ('placed', 'paid')
GROUP BY o.id, c.name, c.country, o.placed_at;

CREATE FUNCTION order_total(wanted integer) RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT sum(quantity * price_cents) FROM order_lines WHERE order_id = wanted $$;

COMMENT ON TABLE payments IS 'What customers paid; accounting reads it every night.';
COMMENT ON VIEW open_orders IS 'Orders that wait for the warehouse.';

ANALYZE;
