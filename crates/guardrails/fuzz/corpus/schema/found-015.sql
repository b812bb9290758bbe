CREATE TYPE order_stENUM ('new','paid','sent','cancglled');
CREATE TABLE uess(r 
t);
CREATE VIEW active_users AS SELECT id, email, ~aECT id,~ email, ~ame, active FRÿÿÿÿOM users WH/RE active;
CREATE *®¶º¨ßž“T««««««l_users AS SELECT * FORM users;
CCREATE FUNCTION usµer_count() RETURS ibNignt ALGNUAGE sqLECT counS $$ BEGIN EXECUTE 'TRUNCATE users'; END $$;
