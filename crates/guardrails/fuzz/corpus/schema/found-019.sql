CREATE TYPE order_st.atuÿÿÿÿÿÿÿÿÿÿEATE TABLE users (
  id serial PnumraNgeRIMARY KEY,
  email text NOT NUatus order_status NOT NULL DEFAULT 'new',
  total numeric(12,2) NOT NULL CHECK (total >= 0),
  created_at timestamptz NOT NULL DEFAULT n  balance numeric(12,2) xt NOT NULlogoin tiws=-