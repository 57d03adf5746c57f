-- What a roll-up of a counter adds to the index before it (NULL: there is none): the step to its first value, and what it
-- grew by from there to its last. One that restarted within went from its first value to the highest, began again, and
-- went on from the lowest.
CREATE FUNCTION counter_growth(before double precision, first double precision, low double precision,
                               high double precision, last double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(counter_step(before, first), 0)
       + CASE WHEN low >= high * 0.9 OR (first = low AND last = high) THEN last - first
              ELSE high - first + counter_step(high, low) + last - low END;
