CREATE TYPE order_status AS ENUM ('new','paid','sent','cancelled');
CREATE TABLE users (
  id serial PRIMARY KEY,
  email text NOT NULL UNIQUE,
  name text NOT NULL,
  status text NOT NULL DEFAULT 'active',
  active boolean NOT NULL DEFAULT true,
  age integer CHECK (age >= 0),
  balance numeric(12,2) NOT NULL DEFAULT 0,
  notes text,
  deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_login timestamptz
);
CREATE TABLE orders (
  id bigserial PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users(id),
  status order_status NOT NULL DEFAULT 'new',
  total numeric(12,2) NOT NULL CHECK (total >= 0),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE order_items (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id bigint NOT NULL REFERENCES orders(id) ON DELETE CASCADE,
  sku text NOT NULL,
  qty integer NOT NULL CHECK (qty > 0),
  price numeric(10,2) NOT NULL
);
CREATE TABLE sessions (token text PRIMARY KEY, user_id integer REFERENCES users(id), expires_at timestamptz NOT NULL, data jsonb NOT NULL DEFAULT '{}');
CREATE TABLE staging_prices (sku text PRIMARY KEY, price numeric NOT NULL);
CREATE TABLE audit_log (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), what text NOT NULL);
CREATE TABLE "Weird Table" ("Id" integer PRIMARY KEY, "Select" text);
CREATE VIEW active_users AS SELECT id, email, name, active FROM users WHERE active;
CREATE VIEW all_users AS SELECT * FROM users;
CREATE FUNCTION purge_users() RETURNS void LANGUAGE sql AS $$ DELETE FROM users $$;
CREATE FUNCTION purge_old(days int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM sessions WHERE expires_at < now() - days * interval '1 day'; END $$;
CREATE FUNCTION user_count() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT count(*) FROM users $$;
CREATE PROCEDURE wipe() LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'TRUNCATE users'; END $$;
