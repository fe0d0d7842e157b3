/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

struct hf_images_finding {
    bool verified;
    const char *reason; /* CamelCase; NULL: no condition */
    char message[640];
};
