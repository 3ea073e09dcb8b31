import api from '@duckdb/node-api'

export type {
  DuckDBConnection,
  DuckDBPreparedStatement,
  DuckDBResult,
  DuckDBType,
} from '@duckdb/node-api'

/**
 * What the children's programs use of DuckDB's interface, a CommonJS package. They run where no code is made of texts,
 * and there Node before 20.20 does not find such a package's names: its module can be imported whole alone.
 */
export const {
  BIGINT,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  DuckDBDataChunk,
  DuckDBInstance,
  FLOAT,
  INTEGER,
  SMALLINT,
  TIME,
  TIMESTAMP,
  TINYINT,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  VARCHAR,
} = api

export type DuckDBInstance = api.DuckDBInstance
