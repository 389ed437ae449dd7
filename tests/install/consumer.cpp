// SPDX-License-Identifier: Apache-2.0
#include <sepcl/sepcl.h>

#include <iostream>
#include <memory>

int main()
{
    sepcl_model *raw = nullptr;
    const sepcl_status status = sepcl_model_load_memory("nonsense", 8, nullptr, &raw);
    const std::unique_ptr<sepcl_model, decltype(&sepcl_model_destroy)> model(raw, &sepcl_model_destroy);
    if (status != SEPCL_BAD_FILE) {
        std::cerr << "nonsense was read with status " << sepcl_status_name(status) << "\n";
        return 1;
    }
    std::cout << sepcl_version() << "\n";
    return 0;
}
