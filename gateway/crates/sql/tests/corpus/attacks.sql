-- # ATTACKS C8, DATABASES 1.2 a: ONLY is no table
SELECT * FROM ONLY secret
--> select on shop.public.secret(*)
--> out a = public.secret.a
--> out b = public.secret.b
