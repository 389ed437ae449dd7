# SPDX-License-Identifier: Apache-2.0
# Install rules: library, header, programs, and what lets CMake and pkg-config find them. Nothing installed holds an
# absolute path, so a prefix may be moved as a whole.
include(CMakePackageConfigHelpers)

install(TARGETS sepcl EXPORT sepclTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES include/sepcl/sepcl.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sepcl)

set(sepcl_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sepcl)
install(EXPORT sepclTargets NAMESPACE sepcl:: DESTINATION ${sepcl_config_dir})
configure_package_config_file(tools/cmake/sepclConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/sepclConfig.cmake
  INSTALL_DESTINATION ${sepcl_config_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/sepclConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sepclConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/sepclConfigVersion.cmake
  DESTINATION ${sepcl_config_dir})

# sepcl.pc finds its prefix from where it lies; absolute install folders are taken as they are.
foreach(kind IN ITEMS LIBDIR INCLUDEDIR)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${kind}}")
    set(sepcl_pc_${kind} "${CMAKE_INSTALL_${kind}}")
  else()
    set(sepcl_pc_${kind} "\${prefix}/${CMAKE_INSTALL_${kind}}")
  endif()
endforeach()
file(RELATIVE_PATH sepcl_pc_up "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" sepcl_pc_up "${sepcl_pc_up}")
configure_file(tools/cmake/sepcl.pc.in ${CMAKE_CURRENT_BINARY_DIR}/sepcl.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sepcl.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Programs find the library of their own prefix first.
file(RELATIVE_PATH sepcl_bin_to_lib "${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBDIR}")
get_property(sepcl_programs GLOBAL PROPERTY SEPCL_PROGRAMS)
foreach(program IN LISTS sepcl_programs)
  set_target_properties(${program} PROPERTIES INSTALL_RPATH "\$ORIGIN/${sepcl_bin_to_lib}")
endforeach()
