# SPDX-License-Identifier: Apache-2.0
# The compiled part of the Python package: the shared library under one plain name, and its declarations for cffi. In a
# build of one's own, python/ in the build folder holds the whole package.
find_package(Python 3.9 REQUIRED COMPONENTS Interpreter)
set(sepcl_python_dir ${CMAKE_CURRENT_BINARY_DIR}/python/sepcl)
set(sepcl_python_bindings_py ${sepcl_python_dir}/_bindings.py)
add_custom_command(OUTPUT ${sepcl_python_bindings_py}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${sepcl_python_dir}
  COMMAND Python::Interpreter ${CMAKE_CURRENT_SOURCE_DIR}/tools/python/bindings.py
          ${CMAKE_CURRENT_SOURCE_DIR}/include/sepcl/sepcl.h ${sepcl_python_bindings_py}
  DEPENDS include/sepcl/sepcl.h tools/python/bindings.py VERBATIM COMMENT "Generating Python's declarations")
file(GLOB sepcl_python_sources CONFIGURE_DEPENDS tools/python/sepcl/*.py tools/python/sepcl/py.typed)
add_custom_target(sepcl_python_bindings ALL
  COMMAND ${CMAKE_COMMAND} -E copy_if_different ${sepcl_python_sources} ${sepcl_python_dir}
  COMMAND ${CMAKE_COMMAND} -E create_symlink $<TARGET_FILE:sepcl> ${sepcl_python_dir}/libsepcl.so
  DEPENDS ${sepcl_python_bindings_py} VERBATIM)
add_dependencies(sepcl_python_bindings sepcl)
install(FILES ${sepcl_python_bindings_py} DESTINATION sepcl COMPONENT python)
install(FILES $<TARGET_FILE:sepcl> DESTINATION sepcl RENAME libsepcl.so COMPONENT python)
if(TARGET sepcl_ort)
  install(FILES $<TARGET_FILE:sepcl_ort> DESTINATION sepcl COMPONENT python)
endif()
