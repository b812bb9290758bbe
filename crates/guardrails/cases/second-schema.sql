SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE SCHEMA app;
CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at = now(); RETURN NEW; END; $$;
CREATE FUNCTION app.audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('INSERT INTO app.audit_%s VALUES (1)', TG_TABLE_NAME); RETURN NULL; END; $$;
CREATE TABLE app.customers (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name character varying(100) NOT NULL,
    email public.citext,
    country character(2) NOT NULL,
    tier text NOT NULL,
    is_deleted boolean DEFAULT false NOT NULL,
    credit_limit numeric(12,2),
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT customers_tier_check CHECK ((tier = ANY (ARRAY['free'::text, 'pro'::text, 'enterprise'::text])))
);
CREATE TABLE app.employees (emp_no integer NOT NULL, manager_no integer, dept_no integer NOT NULL, salary integer NOT NULL, hired date NOT NULL, CONSTRAINT s CHECK (salary BETWEEN 1000 AND 900000));
CREATE TABLE app.departments (dept_no integer NOT NULL, title text NOT NULL);
CREATE TABLE app.events (id bigint NOT NULL, kind text NOT NULL, payload jsonb, at timestamp without time zone NOT NULL, customer_id uuid) PARTITION BY RANGE (at);
CREATE TABLE app.events_2024 PARTITION OF app.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE app.stock (warehouse_id integer NOT NULL, product_id integer NOT NULL, qty integer DEFAULT 0 NOT NULL);
CREATE VIEW app.live_customers AS SELECT customers.id, customers.name, customers.tier FROM app.customers WHERE (NOT customers.is_deleted);
CREATE VIEW app.pro_customers AS SELECT c.id AS customer_id, c.name AS full_name FROM app.live_customers c WHERE c.tier = 'pro';
ALTER TABLE ONLY app.customers ADD CONSTRAINT customers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY app.employees ADD CONSTRAINT employees_pkey PRIMARY KEY (emp_no);
ALTER TABLE ONLY app.departments ADD CONSTRAINT departments_pkey PRIMARY KEY (dept_no);
ALTER TABLE ONLY app.stock ADD CONSTRAINT stock_pkey PRIMARY KEY (warehouse_id, product_id);
ALTER TABLE ONLY app.employees ADD CONSTRAINT e_d FOREIGN KEY (dept_no) REFERENCES app.departments(dept_no);
ALTER TABLE ONLY app.employees ADD CONSTRAINT e_m FOREIGN KEY (manager_no) REFERENCES app.employees(emp_no);
CREATE UNIQUE INDEX ci ON app.customers (email);
CREATE TRIGGER t BEFORE UPDATE ON app.customers FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TRIGGER a AFTER INSERT OR UPDATE OR DELETE ON app.customers FOR EACH ROW EXECUTE FUNCTION app.audit();
CREATE FUNCTION app.close_account(p uuid) RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE app.customers SET is_deleted = true WHERE id = p; END; $$;
CREATE FUNCTION app.reset_all() RETURNS integer LANGUAGE plpgsql AS $$ DECLARE n integer; BEGIN UPDATE app.stock SET qty = 0; GET DIAGNOSTICS n = ROW_COUNT; RETURN n; END; $$;
CREATE FUNCTION app.outer_call() RETURNS integer LANGUAGE sql AS $$ SELECT app.reset_all() $$;
CREATE FUNCTION app.fmt(numeric) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN to_char($1, '999'); END; $$;
