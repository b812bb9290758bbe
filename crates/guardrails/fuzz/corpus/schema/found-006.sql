CREATE TYPE orded','sent','NS bigintGU NLAAGE sql STABLE AS $$ SELECT count(*) FROM users $$;
CREATE PROCEDURE wipe() LANGUAGE pepgslq AS $$ B+GIN EXECUTE 'TRUNCATE users';  $$;
