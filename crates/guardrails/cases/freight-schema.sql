--
-- PostgreSQL database dump
--



SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: ops; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA ops;


ALTER SCHEMA ops OWNER TO postgres;

--
-- Name: email_addr; Type: DOMAIN; Schema: public; Owner: postgres
--

CREATE DOMAIN public.email_addr AS text
	CONSTRAINT email_addr_check CHECK ((VALUE ~~ '%@%'::text));


ALTER DOMAIN public.email_addr OWNER TO postgres;

--
-- Name: invoice_state; Type: TYPE; Schema: public; Owner: postgres
--

CREATE TYPE public.invoice_state AS ENUM (
    'open',
    'sent',
    'paid',
    'void'
);


ALTER TYPE public.invoice_state OWNER TO postgres;

--
-- Name: pct; Type: DOMAIN; Schema: public; Owner: postgres
--

CREATE DOMAIN public.pct AS smallint
	CONSTRAINT pct_check CHECK (((VALUE >= 0) AND (VALUE <= 100)));


ALTER DOMAIN public.pct OWNER TO postgres;

--
-- Name: positive_qty; Type: DOMAIN; Schema: public; Owner: postgres
--

CREATE DOMAIN public.positive_qty AS integer
	CONSTRAINT positive_qty_check CHECK ((VALUE > 0));


ALTER DOMAIN public.positive_qty OWNER TO postgres;

--
-- Name: priority; Type: TYPE; Schema: public; Owner: postgres
--

CREATE TYPE public.priority AS ENUM (
    'low',
    'normal',
    'high'
);


ALTER TYPE public.priority OWNER TO postgres;

--
-- Name: shipment_status; Type: TYPE; Schema: public; Owner: postgres
--

CREATE TYPE public.shipment_status AS ENUM (
    'draft',
    'booked',
    'in_transit',
    'delivered',
    'lost'
);


ALTER TYPE public.shipment_status OWNER TO postgres;

--
-- Name: vehicle_kind; Type: TYPE; Schema: public; Owner: postgres
--

CREATE TYPE public.vehicle_kind AS ENUM (
    'van',
    'truck',
    'trailer'
);


ALTER TYPE public.vehicle_kind OWNER TO postgres;

--
-- Name: nightly(boolean); Type: PROCEDURE; Schema: ops; Owner: postgres
--

CREATE PROCEDURE ops.nightly(IN p_deep boolean DEFAULT false)
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF p_deep THEN PERFORM public.purge_tracking(); END IF;
  CALL ops.reset_queue();
END $$;


ALTER PROCEDURE ops.nightly(IN p_deep boolean) OWNER TO postgres;

--
-- Name: on_fuel(); Type: FUNCTION; Schema: ops; Owner: postgres
--

CREATE FUNCTION ops.on_fuel() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  UPDATE public.rates SET surcharge_cents = NEW.cents WHERE origin IS NOT NULL;
  RETURN NEW;
END $$;


ALTER FUNCTION ops.on_fuel() OWNER TO postgres;

--
-- Name: on_maintenance(); Type: FUNCTION; Schema: ops; Owner: postgres
--

CREATE FUNCTION ops.on_maintenance() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN DELETE FROM public.audit_log; RETURN NULL; END $$;


ALTER FUNCTION ops.on_maintenance() OWNER TO postgres;

--
-- Name: reset_queue(); Type: PROCEDURE; Schema: ops; Owner: postgres
--

CREATE PROCEDURE ops.reset_queue()
    LANGUAGE sql
    AS $$ DELETE FROM ops.shipment_queue $$;


ALTER PROCEDURE ops.reset_queue() OWNER TO postgres;

--
-- Name: run(text); Type: FUNCTION; Schema: ops; Owner: postgres
--

CREATE FUNCTION ops.run(cmd text) RETURNS void
    LANGUAGE plpgsql
    AS $$ BEGIN EXECUTE cmd; END $$;


ALTER FUNCTION ops.run(cmd text) OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: users; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.users (
    user_id integer NOT NULL,
    email public.email_addr NOT NULL,
    role_name text NOT NULL,
    password_hash text,
    tenant_id integer NOT NULL,
    locked boolean DEFAULT false NOT NULL,
    last_seen timestamp with time zone
);

ALTER TABLE ONLY public.users FORCE ROW LEVEL SECURITY;


ALTER TABLE public.users OWNER TO postgres;

--
-- Name: unlock_users(); Type: PROCEDURE; Schema: ops; Owner: postgres
--

CREATE PROCEDURE ops.unlock_users()
    LANGUAGE sql
    BEGIN ATOMIC
 UPDATE public.users SET locked = false;
END;


ALTER PROCEDURE ops.unlock_users() OWNER TO postgres;

--
-- Name: wipe(text); Type: FUNCTION; Schema: ops; Owner: postgres
--

CREATE FUNCTION ops.wipe(tbl text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
  EXECUTE format('DELETE FROM %s', tbl);
END $$;


ALTER FUNCTION ops.wipe(tbl text) OWNER TO postgres;

--
-- Name: close_invoices(integer); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.close_invoices(p_customer integer DEFAULT NULL::integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
  UPDATE invoices SET state = 'void' WHERE customer_id = COALESCE(p_customer, customer_id);
END $$;


ALTER FUNCTION public.close_invoices(p_customer integer) OWNER TO postgres;

--
-- Name: close_invoices(text); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.close_invoices(p_number text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
  UPDATE invoices SET state = 'void' WHERE number = p_number;
END $$;


ALTER FUNCTION public.close_invoices(p_number text) OWNER TO postgres;

--
-- Name: depot_board_write(); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.depot_board_write() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM depots WHERE depot_id = OLD.depot_id; RETURN OLD;
  END IF;
  UPDATE depots SET name = NEW.name, capacity = NEW.capacity WHERE depot_id = OLD.depot_id;
  RETURN NEW;
END $$;


ALTER FUNCTION public.depot_board_write() OWNER TO postgres;

--
-- Name: drop_customer_shipments(integer); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.drop_customer_shipments(customer_id integer) RETURNS void
    LANGUAGE sql
    AS $$
  DELETE FROM shipments WHERE customer_id = customer_id;
$$;


ALTER FUNCTION public.drop_customer_shipments(customer_id integer) OWNER TO postgres;

--
-- Name: shipments; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.shipments (
    shipment_id bigint NOT NULL,
    customer_id integer NOT NULL,
    vehicle_id integer,
    origin_depot integer NOT NULL,
    dest_depot integer,
    status public.shipment_status DEFAULT 'draft'::public.shipment_status NOT NULL,
    prio public.priority,
    weight_g integer NOT NULL,
    price_cents integer NOT NULL,
    discount_cents integer DEFAULT 0 NOT NULL,
    total_cents integer GENERATED ALWAYS AS ((price_cents - discount_cents)) STORED,
    booked_at timestamp with time zone DEFAULT now() NOT NULL,
    delivered_at timestamp with time zone,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    meta jsonb DEFAULT '{}'::jsonb NOT NULL,
    updated_at timestamp with time zone,
    CONSTRAINT shipments_meta_check CHECK ((jsonb_typeof(meta) = 'object'::text)),
    CONSTRAINT shipments_weight_g_check CHECK ((weight_g > 0))
);


ALTER TABLE public.shipments OWNER TO postgres;

--
-- Name: is_visible(public.shipments); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.is_visible(s public.shipments) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT true $$;


ALTER FUNCTION public.is_visible(s public.shipments) OWNER TO postgres;

--
-- Name: purge_tracking(); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.purge_tracking() RETURNS bigint
    LANGUAGE sql
    AS $$
  WITH d AS (DELETE FROM tracking_events RETURNING 1) SELECT count(*) FROM d $$;


ALTER FUNCTION public.purge_tracking() OWNER TO postgres;

--
-- Name: reprice(numeric, boolean); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.reprice(factor numeric, everything boolean) RETURNS integer
    LANGUAGE plpgsql
    AS $$
DECLARE n integer := 0;
BEGIN
  IF everything THEN
    UPDATE rates SET per_kg_cents = round(per_kg_cents * factor);
    GET DIAGNOSTICS n = ROW_COUNT;
  END IF;
  RETURN n;
END $$;


ALTER FUNCTION public.reprice(factor numeric, everything boolean) OWNER TO postgres;

--
-- Name: reprice(numeric, integer); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.reprice(factor numeric, p_origin integer) RETURNS integer
    LANGUAGE plpgsql
    AS $$
BEGIN
  UPDATE rates SET per_kg_cents = round(per_kg_cents * factor) WHERE origin = p_origin;
  RETURN 1;
END $$;


ALTER FUNCTION public.reprice(factor numeric, p_origin integer) OWNER TO postgres;

--
-- Name: touch_updated(); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.touch_updated() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;


ALTER FUNCTION public.touch_updated() OWNER TO postgres;

--
-- Name: depots; Type: TABLE; Schema: ops; Owner: postgres
--

CREATE TABLE ops.depots (
    depot_id integer NOT NULL,
    region text NOT NULL,
    shift_lead text,
    open boolean NOT NULL
);


ALTER TABLE ops.depots OWNER TO postgres;

--
-- Name: flush_requests; Type: TABLE; Schema: ops; Owner: postgres
--

CREATE TABLE ops.flush_requests (
    id integer NOT NULL,
    wanted_by text
);


ALTER TABLE ops.flush_requests OWNER TO postgres;

--
-- Name: fuel_index; Type: TABLE; Schema: ops; Owner: postgres
--

CREATE TABLE ops.fuel_index (
    day date NOT NULL,
    cents integer NOT NULL
);


ALTER TABLE ops.fuel_index OWNER TO postgres;

--
-- Name: maintenance_requests; Type: TABLE; Schema: ops; Owner: postgres
--

CREATE TABLE ops.maintenance_requests (
    id integer NOT NULL,
    what text
);


ALTER TABLE ops.maintenance_requests OWNER TO postgres;

--
-- Name: shipment_archive; Type: TABLE; Schema: ops; Owner: postgres
--

CREATE TABLE ops.shipment_archive (
    shipment_id bigint NOT NULL,
    customer_id integer NOT NULL,
    vehicle_id integer,
    origin_depot integer NOT NULL,
    dest_depot integer,
    status public.shipment_status NOT NULL,
    prio public.priority,
    weight_g integer NOT NULL,
    price_cents integer NOT NULL,
    discount_cents integer NOT NULL,
    total_cents integer,
    booked_at timestamp with time zone NOT NULL,
    delivered_at timestamp with time zone,
    tags text[] NOT NULL,
    meta jsonb NOT NULL,
    updated_at timestamp with time zone
);


ALTER TABLE ops.shipment_archive OWNER TO postgres;

--
-- Name: shipment_queue; Type: TABLE; Schema: ops; Owner: postgres
--

CREATE TABLE ops.shipment_queue (
    queue_id bigint NOT NULL,
    shipment_id bigint NOT NULL,
    state text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    CONSTRAINT shipment_queue_state_check CHECK ((state = ANY (ARRAY['new'::text, 'busy'::text, 'done'::text])))
);


ALTER TABLE ops.shipment_queue OWNER TO postgres;

--
-- Name: shipment_queue_queue_id_seq; Type: SEQUENCE; Schema: ops; Owner: postgres
--

ALTER TABLE ops.shipment_queue ALTER COLUMN queue_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.shipment_queue_queue_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: tracking_events; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.tracking_events (
    event_id bigint NOT NULL,
    shipment_id bigint,
    occurred_at timestamp without time zone NOT NULL,
    kind text NOT NULL,
    payload jsonb
)
PARTITION BY RANGE (occurred_at);


ALTER TABLE public.tracking_events OWNER TO postgres;

--
-- Name: v_events; Type: VIEW; Schema: ops; Owner: postgres
--

CREATE VIEW ops.v_events WITH (security_barrier='true') AS
 SELECT tracking_events.event_id,
    tracking_events.shipment_id,
    tracking_events.occurred_at,
    tracking_events.kind,
    tracking_events.payload
   FROM public.tracking_events;


ALTER TABLE ops.v_events OWNER TO postgres;

--
-- Name: audit_log; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.audit_log (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor text,
    action text NOT NULL
);


ALTER TABLE public.audit_log OWNER TO postgres;

--
-- Name: audit_log_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.audit_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.audit_log_id_seq OWNER TO postgres;

--
-- Name: audit_log_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.audit_log_id_seq OWNED BY public.audit_log.id;


--
-- Name: invoices; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.invoices (
    invoice_id integer NOT NULL,
    customer_id integer NOT NULL,
    number text NOT NULL,
    state public.invoice_state DEFAULT 'open'::public.invoice_state NOT NULL,
    amount_cents bigint NOT NULL,
    issued_on date NOT NULL,
    due_on date NOT NULL,
    paid_on date,
    memo text,
    CONSTRAINT invoices_due_after_issue CHECK ((due_on >= issued_on))
);


ALTER TABLE public.invoices OWNER TO postgres;

--
-- Name: credit_notes; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.credit_notes (
    reason text
)
INHERITS (public.invoices);


ALTER TABLE public.credit_notes OWNER TO postgres;

--
-- Name: customers; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.customers (
    customer_id integer NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    email text,
    segment character(1) NOT NULL,
    credit_limit numeric(12,2) DEFAULT 0 NOT NULL,
    balance integer DEFAULT 0 NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    notes text,
    created_at timestamp without time zone DEFAULT now() NOT NULL,
    CONSTRAINT customers_created_sane CHECK (((created_at >= '2001-01-01 00:00:00'::timestamp without time zone) AND (created_at < '2200-01-01 00:00:00'::timestamp without time zone))),
    CONSTRAINT customers_credit_limit_check CHECK ((credit_limit >= (0)::numeric)),
    CONSTRAINT customers_segment_check CHECK ((segment = ANY (ARRAY['A'::bpchar, 'B'::bpchar, 'C'::bpchar])))
);


ALTER TABLE public.customers OWNER TO postgres;

--
-- Name: customers_customer_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

ALTER TABLE public.customers ALTER COLUMN customer_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.customers_customer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: depots; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.depots (
    depot_id integer NOT NULL,
    name text NOT NULL,
    region text,
    lat numeric NOT NULL,
    opened_on date,
    capacity integer NOT NULL,
    fill public.pct DEFAULT 0 NOT NULL,
    CONSTRAINT depots_capacity_check CHECK ((capacity >= 0)),
    CONSTRAINT depots_lat_check CHECK (((lat >= ('-90'::integer)::numeric) AND (lat <= (90)::numeric)))
);


ALTER TABLE public.depots OWNER TO postgres;

--
-- Name: depots_depot_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.depots_depot_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.depots_depot_id_seq OWNER TO postgres;

--
-- Name: depots_depot_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.depots_depot_id_seq OWNED BY public.depots.depot_id;


--
-- Name: drivers; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.drivers (
    driver_id bigint NOT NULL,
    depot_id integer,
    full_name text NOT NULL,
    licence text NOT NULL,
    rating smallint NOT NULL,
    hired_on date NOT NULL,
    left_on date,
    phone text,
    on_duty boolean DEFAULT false NOT NULL,
    CONSTRAINT drivers_check CHECK ((left_on >= hired_on)),
    CONSTRAINT drivers_hired_on_check CHECK (((hired_on >= '1980-01-01'::date) AND (hired_on <= '2100-12-31'::date))),
    CONSTRAINT drivers_rating_check CHECK (((rating >= 1) AND (rating <= 5)))
);


ALTER TABLE public.drivers OWNER TO postgres;

--
-- Name: drivers_driver_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

ALTER TABLE public.drivers ALTER COLUMN driver_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.drivers_driver_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: mv_depot_load; Type: MATERIALIZED VIEW; Schema: public; Owner: postgres
--

CREATE MATERIALIZED VIEW public.mv_depot_load AS
 SELECT shipments.origin_depot,
    count(*) AS n,
    sum(shipments.weight_g) AS grams
   FROM public.shipments
  GROUP BY shipments.origin_depot
  WITH NO DATA;


ALTER TABLE public.mv_depot_load OWNER TO postgres;

--
-- Name: rates; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.rates (
    origin integer NOT NULL,
    dest integer NOT NULL,
    kind public.vehicle_kind NOT NULL,
    per_kg_cents integer NOT NULL,
    surcharge_cents integer
);


ALTER TABLE public.rates OWNER TO postgres;

--
-- Name: settings; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.settings (
    key text NOT NULL,
    value text
);


ALTER TABLE public.settings OWNER TO postgres;

--
-- Name: shipment_items; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.shipment_items (
    shipment_id bigint NOT NULL,
    line_no integer NOT NULL,
    sku text NOT NULL,
    qty public.positive_qty NOT NULL,
    unit_cents integer,
    hazmat boolean DEFAULT false NOT NULL
);


ALTER TABLE public.shipment_items OWNER TO postgres;

--
-- Name: shipments_shipment_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

ALTER TABLE public.shipments ALTER COLUMN shipment_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.shipments_shipment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: tracking_events_2023; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.tracking_events_2023 (
    event_id bigint NOT NULL,
    shipment_id bigint,
    occurred_at timestamp without time zone NOT NULL,
    kind text NOT NULL,
    payload jsonb
);


ALTER TABLE public.tracking_events_2023 OWNER TO postgres;

--
-- Name: tracking_events_2024; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.tracking_events_2024 (
    event_id bigint NOT NULL,
    shipment_id bigint,
    occurred_at timestamp without time zone NOT NULL,
    kind text NOT NULL,
    payload jsonb
);


ALTER TABLE public.tracking_events_2024 OWNER TO postgres;

--
-- Name: tracking_events_rest; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.tracking_events_rest (
    event_id bigint NOT NULL,
    shipment_id bigint,
    occurred_at timestamp without time zone NOT NULL,
    kind text NOT NULL,
    payload jsonb
);


ALTER TABLE public.tracking_events_rest OWNER TO postgres;

--
-- Name: users_user_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

ALTER TABLE public.users ALTER COLUMN user_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.users_user_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: v_customers; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.v_customers AS
 SELECT customers.customer_id AS id,
    customers.name,
    customers.email,
    customers.is_active AS active,
    customers.credit_limit
   FROM public.customers
  WHERE (customers.customer_id IS NOT NULL)
  WITH LOCAL CHECK OPTION;


ALTER TABLE public.v_customers OWNER TO postgres;

--
-- Name: v_depot_board; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.v_depot_board AS
SELECT
    NULL::integer AS depot_id,
    NULL::text AS name,
    NULL::integer AS capacity,
    NULL::bigint AS vehicles;


ALTER TABLE public.v_depot_board OWNER TO postgres;

--
-- Name: v_drivers; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.v_drivers AS
 SELECT drivers.driver_id,
    drivers.full_name,
    drivers.rating,
    drivers.on_duty,
    drivers.phone
   FROM public.drivers
  WHERE (drivers.rating >= 1)
  WITH CASCADED CHECK OPTION;


ALTER TABLE public.v_drivers OWNER TO postgres;

--
-- Name: v_housekeeping; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.v_housekeeping AS
 SELECT public.purge_tracking() AS removed;


ALTER TABLE public.v_housekeeping OWNER TO postgres;

--
-- Name: v_legacy_users; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.v_legacy_users AS
 SELECT users.user_id,
    users.email,
    users.locked
   FROM public.users;


ALTER TABLE public.v_legacy_users OWNER TO postgres;

--
-- Name: v_shipments; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.v_shipments AS
 SELECT shipments.shipment_id AS ref,
    shipments.customer_id AS client,
    shipments.status,
    shipments.price_cents AS price,
    shipments.discount_cents AS rebate,
    shipments.tags
   FROM public.shipments;


ALTER TABLE public.v_shipments OWNER TO postgres;

--
-- Name: v_shipments_desk; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.v_shipments_desk AS
 SELECT v_shipments.ref,
    v_shipments.client AS account,
    v_shipments.status AS phase,
    v_shipments.price,
    v_shipments.rebate
   FROM public.v_shipments;


ALTER TABLE public.v_shipments_desk OWNER TO postgres;

--
-- Name: v_toggle; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.v_toggle AS
 SELECT drivers.driver_id,
    drivers.on_duty
   FROM public.drivers;


ALTER TABLE public.v_toggle OWNER TO postgres;

--
-- Name: vehicles; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.vehicles (
    vehicle_id integer NOT NULL,
    plate character varying(12) NOT NULL,
    kind public.vehicle_kind NOT NULL,
    depot_id integer NOT NULL,
    odometer integer DEFAULT 0 NOT NULL,
    retired boolean,
    last_service date,
    CONSTRAINT vehicles_odometer_check CHECK ((odometer >= 0))
);


ALTER TABLE public.vehicles OWNER TO postgres;

--
-- Name: vehicles_vehicle_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

ALTER TABLE public.vehicles ALTER COLUMN vehicle_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.vehicles_vehicle_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: tracking_events_2023; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.tracking_events ATTACH PARTITION public.tracking_events_2023 FOR VALUES FROM ('2023-01-01 00:00:00') TO ('2024-01-01 00:00:00');


--
-- Name: tracking_events_2024; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.tracking_events ATTACH PARTITION public.tracking_events_2024 FOR VALUES FROM ('2024-01-01 00:00:00') TO ('2025-01-01 00:00:00');


--
-- Name: tracking_events_rest; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.tracking_events ATTACH PARTITION public.tracking_events_rest DEFAULT;


--
-- Name: audit_log id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.audit_log ALTER COLUMN id SET DEFAULT nextval('public.audit_log_id_seq'::regclass);


--
-- Name: credit_notes state; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.credit_notes ALTER COLUMN state SET DEFAULT 'open'::public.invoice_state;


--
-- Name: depots depot_id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.depots ALTER COLUMN depot_id SET DEFAULT nextval('public.depots_depot_id_seq'::regclass);


--
-- Name: depots depots_pkey; Type: CONSTRAINT; Schema: ops; Owner: postgres
--

ALTER TABLE ONLY ops.depots
    ADD CONSTRAINT depots_pkey PRIMARY KEY (depot_id);


--
-- Name: flush_requests flush_requests_pkey; Type: CONSTRAINT; Schema: ops; Owner: postgres
--

ALTER TABLE ONLY ops.flush_requests
    ADD CONSTRAINT flush_requests_pkey PRIMARY KEY (id);


--
-- Name: fuel_index fuel_index_pkey; Type: CONSTRAINT; Schema: ops; Owner: postgres
--

ALTER TABLE ONLY ops.fuel_index
    ADD CONSTRAINT fuel_index_pkey PRIMARY KEY (day);


--
-- Name: maintenance_requests maintenance_requests_pkey; Type: CONSTRAINT; Schema: ops; Owner: postgres
--

ALTER TABLE ONLY ops.maintenance_requests
    ADD CONSTRAINT maintenance_requests_pkey PRIMARY KEY (id);


--
-- Name: shipment_queue shipment_queue_pkey; Type: CONSTRAINT; Schema: ops; Owner: postgres
--

ALTER TABLE ONLY ops.shipment_queue
    ADD CONSTRAINT shipment_queue_pkey PRIMARY KEY (queue_id);


--
-- Name: audit_log audit_log_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);


--
-- Name: customers customers_code_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_code_key UNIQUE (code);


--
-- Name: customers customers_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (customer_id);


--
-- Name: depots depots_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.depots
    ADD CONSTRAINT depots_pkey PRIMARY KEY (depot_id);


--
-- Name: drivers drivers_licence_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.drivers
    ADD CONSTRAINT drivers_licence_key UNIQUE (licence);


--
-- Name: drivers drivers_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.drivers
    ADD CONSTRAINT drivers_pkey PRIMARY KEY (driver_id);


--
-- Name: invoices invoices_customer_id_number_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.invoices
    ADD CONSTRAINT invoices_customer_id_number_key UNIQUE (customer_id, number);


--
-- Name: invoices invoices_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.invoices
    ADD CONSTRAINT invoices_pkey PRIMARY KEY (invoice_id);


--
-- Name: rates rates_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.rates
    ADD CONSTRAINT rates_pkey PRIMARY KEY (origin, dest, kind);


--
-- Name: settings settings_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (key);


--
-- Name: shipment_items shipment_items_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.shipment_items
    ADD CONSTRAINT shipment_items_pkey PRIMARY KEY (shipment_id, line_no);


--
-- Name: shipments shipments_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.shipments
    ADD CONSTRAINT shipments_pkey PRIMARY KEY (shipment_id);


--
-- Name: tracking_events tracking_events_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.tracking_events
    ADD CONSTRAINT tracking_events_pkey PRIMARY KEY (event_id, occurred_at);


--
-- Name: tracking_events_2023 tracking_events_2023_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.tracking_events_2023
    ADD CONSTRAINT tracking_events_2023_pkey PRIMARY KEY (event_id, occurred_at);


--
-- Name: tracking_events_2024 tracking_events_2024_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.tracking_events_2024
    ADD CONSTRAINT tracking_events_2024_pkey PRIMARY KEY (event_id, occurred_at);


--
-- Name: tracking_events_rest tracking_events_rest_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.tracking_events_rest
    ADD CONSTRAINT tracking_events_rest_pkey PRIMARY KEY (event_id, occurred_at);


--
-- Name: users users_email_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (user_id);


--
-- Name: vehicles vehicles_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.vehicles
    ADD CONSTRAINT vehicles_pkey PRIMARY KEY (vehicle_id);


--
-- Name: vehicles vehicles_plate_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.vehicles
    ADD CONSTRAINT vehicles_plate_key UNIQUE (plate);


--
-- Name: events_kind; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX events_kind ON ONLY public.tracking_events USING btree (kind);


--
-- Name: mv_depot_load_key; Type: INDEX; Schema: public; Owner: postgres
--

CREATE UNIQUE INDEX mv_depot_load_key ON public.mv_depot_load USING btree (origin_depot);


--
-- Name: shipments_customer; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX shipments_customer ON public.shipments USING btree (customer_id);


--
-- Name: tracking_events_2023_kind_idx; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX tracking_events_2023_kind_idx ON public.tracking_events_2023 USING btree (kind);


--
-- Name: tracking_events_2024_kind_idx; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX tracking_events_2024_kind_idx ON public.tracking_events_2024 USING btree (kind);


--
-- Name: tracking_events_rest_kind_idx; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX tracking_events_rest_kind_idx ON public.tracking_events_rest USING btree (kind);


--
-- Name: tracking_events_2023_kind_idx; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.events_kind ATTACH PARTITION public.tracking_events_2023_kind_idx;


--
-- Name: tracking_events_2023_pkey; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.tracking_events_pkey ATTACH PARTITION public.tracking_events_2023_pkey;


--
-- Name: tracking_events_2024_kind_idx; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.events_kind ATTACH PARTITION public.tracking_events_2024_kind_idx;


--
-- Name: tracking_events_2024_pkey; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.tracking_events_pkey ATTACH PARTITION public.tracking_events_2024_pkey;


--
-- Name: tracking_events_rest_kind_idx; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.events_kind ATTACH PARTITION public.tracking_events_rest_kind_idx;


--
-- Name: tracking_events_rest_pkey; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.tracking_events_pkey ATTACH PARTITION public.tracking_events_rest_pkey;


--
-- Name: flush_requests flush_all; Type: RULE; Schema: ops; Owner: postgres
--

CREATE RULE flush_all AS
    ON INSERT TO ops.flush_requests DO  DELETE FROM ops.shipment_queue;


--
-- Name: v_depot_board _RETURN; Type: RULE; Schema: public; Owner: postgres
--

CREATE OR REPLACE VIEW public.v_depot_board AS
 SELECT d.depot_id,
    d.name,
    d.capacity,
    count(v.*) AS vehicles
   FROM (public.depots d
     LEFT JOIN public.vehicles v USING (depot_id))
  GROUP BY d.depot_id;


--
-- Name: v_legacy_users legacy_del; Type: RULE; Schema: public; Owner: postgres
--

CREATE RULE legacy_del AS
    ON DELETE TO public.v_legacy_users DO INSTEAD  UPDATE public.users SET locked = true
  WHERE (users.user_id = old.user_id);


--
-- Name: v_toggle toggle_upd; Type: RULE; Schema: public; Owner: postgres
--

CREATE RULE toggle_upd AS
    ON UPDATE TO public.v_toggle DO INSTEAD  UPDATE public.drivers SET on_duty = new.on_duty;


--
-- Name: fuel_index fuel_apply; Type: TRIGGER; Schema: ops; Owner: postgres
--

CREATE TRIGGER fuel_apply BEFORE UPDATE ON ops.fuel_index FOR EACH ROW EXECUTE FUNCTION ops.on_fuel();


--
-- Name: maintenance_requests maintenance_go; Type: TRIGGER; Schema: ops; Owner: postgres
--

CREATE TRIGGER maintenance_go AFTER INSERT ON ops.maintenance_requests FOR EACH ROW EXECUTE FUNCTION ops.on_maintenance();


--
-- Name: v_depot_board board_write; Type: TRIGGER; Schema: public; Owner: postgres
--

CREATE TRIGGER board_write INSTEAD OF DELETE OR UPDATE ON public.v_depot_board FOR EACH ROW EXECUTE FUNCTION public.depot_board_write();


--
-- Name: shipments shipments_touch; Type: TRIGGER; Schema: public; Owner: postgres
--

CREATE TRIGGER shipments_touch BEFORE UPDATE ON public.shipments FOR EACH ROW EXECUTE FUNCTION public.touch_updated();


--
-- Name: drivers drivers_depot_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.drivers
    ADD CONSTRAINT drivers_depot_id_fkey FOREIGN KEY (depot_id) REFERENCES public.depots(depot_id);


--
-- Name: shipment_items shipment_items_shipment_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.shipment_items
    ADD CONSTRAINT shipment_items_shipment_id_fkey FOREIGN KEY (shipment_id) REFERENCES public.shipments(shipment_id) ON DELETE CASCADE;


--
-- Name: shipments shipments_customer_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.shipments
    ADD CONSTRAINT shipments_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customers(customer_id);


--
-- Name: shipments shipments_dest_depot_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.shipments
    ADD CONSTRAINT shipments_dest_depot_fkey FOREIGN KEY (dest_depot) REFERENCES public.depots(depot_id);


--
-- Name: shipments shipments_origin_depot_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.shipments
    ADD CONSTRAINT shipments_origin_depot_fkey FOREIGN KEY (origin_depot) REFERENCES public.depots(depot_id);


--
-- Name: shipments shipments_vehicle_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.shipments
    ADD CONSTRAINT shipments_vehicle_id_fkey FOREIGN KEY (vehicle_id) REFERENCES public.vehicles(vehicle_id);


--
-- Name: vehicles vehicles_depot_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.vehicles
    ADD CONSTRAINT vehicles_depot_id_fkey FOREIGN KEY (depot_id) REFERENCES public.depots(depot_id);


--
-- Name: users tenant_only; Type: POLICY; Schema: public; Owner: postgres
--

CREATE POLICY tenant_only ON public.users USING ((tenant_id = (current_setting('app.tenant'::text, true))::integer));


--
-- Name: users; Type: ROW SECURITY; Schema: public; Owner: postgres
--

ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;

--
-- PostgreSQL database dump complete
--


