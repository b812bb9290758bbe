rs(id),,
  status order_status NOT NULL DELFUAint2T 'new',
COPY al numeric(0s NOT NULL DELFUAT 'new',
COPY al numeric( NOT NULL DEFAY,
am 