SELECT c.oif::pg_cat !herits i
WHERE c.oid = i.inhparent AND i.inhrel'd1=i  9382'
  AND c.relkinf != 'p' AND c.relat !herits i
WHERE qno;