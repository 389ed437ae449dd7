# SPDX-License-Identifier: Apache-2.0
# Debian packages by `cpack`, one a component. tools/package builds below /usr and calls it.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sepcl)
set(CPACK_PACKAGE_VENDOR "the sepcl project")
set(CPACK_PACKAGE_CONTACT "the sepcl project <sepcl@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "convolutional networks on any OpenCL device")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL lib dev)
if(SEPCL_TOOLS)
  list(APPEND CPACK_COMPONENTS_ALL tools)
endif()

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_CURRENT_BINARY_DIR})
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")

set(sepcl_exact "(= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
set(CPACK_DEBIAN_LIB_PACKAGE_NAME libsepcl${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_LIB_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIB_PACKAGE_RECOMMENDS "pocl-opencl-icd | opencl-icd")
set(CPACK_COMPONENT_LIB_DESCRIPTION "Runs trained convolutional networks on GPUs, and on CPUs through PoCL.\nThis package has the shared library.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libsepcl-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libsepcl${PROJECT_VERSION_MAJOR} ${sepcl_exact}, ocl-icd-opencl-dev | opencl-dev")
if(SEPCL_LAPACK_FOUND) # what the static library needs
  string(APPEND CPACK_DEBIAN_DEV_PACKAGE_DEPENDS ", liblapacke-dev")
endif()
if(sepcl_keras)
  string(APPEND CPACK_DEBIAN_DEV_PACKAGE_DEPENDS ", libjansson-dev, zlib1g-dev")
endif()
set(CPACK_COMPONENT_DEV_DESCRIPTION "Runs trained convolutional networks on GPUs, and on CPUs through PoCL.\nThis package has the header, the static library, and what CMake and pkg-config look for.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME sepcl-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "libsepcl${PROJECT_VERSION_MAJOR} ${sepcl_exact}")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION "Runs trained convolutional networks on GPUs, and on CPUs through PoCL.\nThis package has the programs with their manual pages and shell completion.")

# what Debian's policy asks of every package: its licence
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME} RENAME copyright
    COMPONENT ${component})
endforeach()
include(CPack)
