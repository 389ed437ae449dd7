# SPDX-License-Identifier: Apache-2.0
# Install rules: library, header, programs, and what lets CMake and pkg-config find them. Nothing installed holds an
# absolute path, so a prefix may be moved as a whole.
include(CMakePackageConfigHelpers)

# Components: lib, dev, tools; packages.cmake makes a package of each.
install(TARGETS sepcl EXPORT sepclTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT lib NAMELINK_COMPONENT dev
  INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES include/sepcl/sepcl.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/sepcl COMPONENT dev)
if(TARGET sepcl_static)
  install(FILES ${sepcl_static} DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
endif()

set(sepcl_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sepcl)
install(EXPORT sepclTargets NAMESPACE sepcl:: DESTINATION ${sepcl_config_dir} COMPONENT dev)
configure_package_config_file(tools/cmake/sepclConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/sepclConfig.cmake
  INSTALL_DESTINATION ${sepcl_config_dir} PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/sepclConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sepclConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/sepclConfigVersion.cmake
  DESTINATION ${sepcl_config_dir} COMPONENT dev)

# sepcl.pc finds its prefix from where it lies; absolute install folders are taken as they are.
foreach(kind IN ITEMS LIBDIR INCLUDEDIR)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${kind}}")
    set(sepcl_pc_${kind} "${CMAKE_INSTALL_${kind}}")
  else()
    set(sepcl_pc_${kind} "\${prefix}/${CMAKE_INSTALL_${kind}}")
  endif()
endforeach()
set(sepcl_pc_needs)
foreach(library IN LISTS sepcl_static_needs)
  string(APPEND sepcl_pc_needs " -l${library}")
endforeach()
file(RELATIVE_PATH sepcl_pc_up "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" sepcl_pc_up "${sepcl_pc_up}")
configure_file(tools/cmake/sepcl.pc.in ${CMAKE_CURRENT_BINARY_DIR}/sepcl.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sepcl.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT dev)

# Programs find the library of their own prefix first; below /usr the loader does so by itself.
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  file(RELATIVE_PATH sepcl_bin_to_lib "${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBDIR}")
  get_property(sepcl_programs GLOBAL PROPERTY SEPCL_PROGRAMS)
  foreach(program IN LISTS sepcl_programs)
    set_target_properties(${program} PROPERTIES INSTALL_RPATH "\$ORIGIN/${sepcl_bin_to_lib}")
  endforeach()
endif()
include(tools/cmake/packages.cmake)
