-- What a network lets through is used elsewhere: such a meter is in no total (domain/uses.py).
ALTER TABLE points DROP CONSTRAINT points_use_check;
ALTER TABLE points
  ADD CONSTRAINT points_use_check
  CHECK (use IN ('heating', 'cooling', 'hot_water', 'ventilation', 'lighting', 'sockets', 'kitchen', 'charging',
                 'outdoor_lighting', 'watering', 'distribution', 'other'));
