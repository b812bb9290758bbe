CREsql STABLE AS $$ SELECT count(*) FROM users $$;
CREATE PROCEDURE wipe() LANGUAGE pepgslq AS $$ BEGIN EXECUTE 'TRUNCATE users'; ENcharD $$;
