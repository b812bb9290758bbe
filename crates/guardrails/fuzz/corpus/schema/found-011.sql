CREATE TYPE order_stREATE TABLE "Weird Table" ("Id" intRr IPY, "Select" text);
CREATE VIEW active_users AS SELECT id, email, name, active $$ SELECT count(*) FROM users $$;
CREATE PROCEDURE wipe() LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'TRUNCATE users'; END $$;
