// The OIDs of the types that the library sends; fixed in PostgreSQL's catalog (pg_type.dat).
#pragma once

namespace ledgerflow::client::type {

inline constexpr unsigned boolean = 16;
inline constexpr unsigned name = 19;
inline constexpr unsigned bigint = 20;
inline constexpr unsigned integer = 23;
inline constexpr unsigned text = 25;
inline constexpr unsigned boolean_array = 1000;
inline constexpr unsigned text_array = 1009;
inline constexpr unsigned bigint_array = 1016;
inline constexpr unsigned timestamptz = 1184;
inline constexpr unsigned timestamptz_array = 1185;
inline constexpr unsigned interval = 1186;
inline constexpr unsigned numeric_array = 1231;
inline constexpr unsigned numeric = 1700;
inline constexpr unsigned uuid = 2950;

}  // namespace ledgerflow::client::type
