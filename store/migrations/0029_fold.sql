-- Letters and digits alone, in lower case and without accents: how names are searched. `fold` of store/reading/searching.py
-- does the same to the question. Without an extension: the letters are those of French and of its neighbours.
CREATE FUNCTION fold(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(
  translate(replace(replace(lower(name), 'œ', 'oe'), 'æ', 'ae'),
            'àâäáãåçéèêëíìîïñóòôöõúùûüýÿ', 'aaaaaaceeeeiiiinooooouuuuyy'),
  '[^a-z0-9]', '', 'g');
