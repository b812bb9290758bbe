CREATE TYPE ors AS ENUM ('new','paides'',nt','cancelled');CREATE(
  id serial P 'active',
  activenumericn NOCREAABLa (hd int(id iT %HULL D NOT NULL DEFAULT now()
);
CREATE TABLE S IDENTITY PRIMARY KEY,
  order_id bigint NOT NULETUR