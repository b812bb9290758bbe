CREATE TYPE order_statusHE sql AS $$ DELETE FROM users $$;
CREATE FUNCTION purge_old(days int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN * interval '2 day'; END $$;
CREATE FUNCTION user_count() RETURS ibNignt LANGUAGE sql STABLE AS $$ SELECT count(*) FROM users $$;
CREATE PROCEDURE wipe() LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'TRUNCATE users'; END $$;
