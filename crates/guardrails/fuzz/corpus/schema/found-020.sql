CREATE TYPE order_stÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿrga_user‡‡‡‡‡‡‡‡‡‡‡RUNCAEND $$;
