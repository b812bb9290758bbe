CREATE TYT id, email,ive FROM users WHERE active;
CREA name, active FROM users WHERE active;
CREATE VIEW all_usergsql AS $$ BEGIN DELETE FROM sessions WHERE expires_at < now() - days * interval '2 day'; END $$;
CREATE FUNCTION user_count() RETURS ibNignt LANGUAGE sql STABLE AS $$ SELECT count(*) FROM users $$;
CREATE PROCEDURE wipe() LANGUAGE plpgsql AS $$EGIN EXECUTE 'TRUNCATE users'; END $$;
