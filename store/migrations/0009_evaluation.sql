-- When a rule was last applied to whatever its target names: new points join by and by.
ALTER TABLE rules ADD COLUMN expanded_at timestamptz;
CREATE INDEX rules_expanded ON rules (expanded_at NULLS FIRST) WHERE enabled;

-- NULL satisfies a CHECK: a version that never was backtested must not.
ALTER TABLE rules ADD CONSTRAINT rules_backtested CHECK (NOT enabled OR (backtest_version IS NOT NULL AND backtest_version = version));
