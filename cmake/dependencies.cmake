# Where the libraries come from. A room asks for what it uses and links the targets of the right column:
#
#   holdfast_need(caf rocksdb)
#
#   name        targets                                       why it is here
#   ----------  --------------------------------------------  ----------------------------------------
#   threads     Threads::Threads
#   boost       Boost::headers                                Asio, Beast, unordered_flat_map
#   caf         CAF::core                                     actors
#   rocksdb     RocksDB::rocksdb-shared                       the durable journal and its index
#   openssl     OpenSSL::Crypto OpenSSL::SSL                  SHA-256, HMAC, TLS
#   fmt         fmt::fmt                                      text
#   spdlog      spdlog::spdlog                                logging
#   prometheus  prometheus-cpp::core prometheus-cpp::pull     metrics
#   cli11       CLI11::CLI11                                  command lines
#   toml        tomlplusplus::tomlplusplus                    configuration
#   json        nlohmann_json::nlohmann_json                  seating plans, --json
#   doctest     doctest::doctest                              tests
#   rapidcheck  rapidcheck                                    property tests
#   benchmark   benchmark::benchmark                          micro benchmarks
#
# The Debian packages behind the names, with the reason for each, stand in scripts/packages.txt.

# Found in one room, seen in all: a library's link interface names targets that its users must know too.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL TRUE)

set(holdfast_package_threads Threads)
set(holdfast_package_boost Boost 1.81 CONFIG)
set(holdfast_package_caf CAF 0.17)
set(holdfast_package_rocksdb RocksDB 7.8 CONFIG)
set(holdfast_package_openssl OpenSSL 3.0)
set(holdfast_package_fmt fmt 9 CONFIG)
set(holdfast_package_spdlog spdlog CONFIG)
set(holdfast_package_prometheus prometheus-cpp CONFIG)
set(holdfast_package_cli11 CLI11 CONFIG)
set(holdfast_package_toml tomlplusplus CONFIG)
set(holdfast_package_json nlohmann_json CONFIG)
set(holdfast_package_doctest doctest CONFIG)
set(holdfast_package_rapidcheck rapidcheck CONFIG)
set(holdfast_package_benchmark benchmark CONFIG)

# holdfast_need(NAME...): finds each library once a configure run, or says what to do about it.
function(holdfast_need)
  foreach(name IN LISTS ARGN)
    if(NOT DEFINED holdfast_package_${name})
      message(FATAL_ERROR "holdfast_need(${name}): no such library in cmake/dependencies.cmake")
    endif()
    get_property(found GLOBAL PROPERTY holdfast_found_${name})
    if(found)
      continue()
    endif()
    set(package ${holdfast_package_${name}})
    list(GET package 0 label)
    find_package(${package} QUIET)
    if(NOT ${label}_FOUND)
      message(FATAL_ERROR "${label} is missing or too old; run scripts/setup")
    endif()
    set_property(GLOBAL PROPERTY holdfast_found_${name} TRUE)
    string(TOUPPER ${label} upper)  # FindOpenSSL sets OPENSSL_VERSION only
    set(version ${${label}_VERSION} ${${upper}_VERSION})
    list(REMOVE_DUPLICATES version)
    message(STATUS "Using ${label} ${version}")
  endforeach()
endfunction()
