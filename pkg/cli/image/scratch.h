/* SPDX-License-Identifier: Apache-2.0 */
/* A file without a name in $TMPDIR (/tmp), mapped when complete: layers may be larger than memory. */
#pragma once

#include "cli/cli.h"
#include "oci/registry/registry.h"

struct hf_cli_scratch {
    int fd;
    uint64_t size;
    struct hf_err *err;
};
#define HF_CLI_SCRATCH_INIT                                                                                            \
    {                                                                                                                  \
        .fd = -1                                                                                                       \
    }

HF_MUST_USE int hf_cli_scratch_open(struct hf_cli_scratch *scratch, struct hf_err *err);
void hf_cli_scratch_done(struct hf_cli_scratch *scratch);
/* Callback of struct hf_delta_out and hf_oci_blob_sink; appends. */
int hf_cli_scratch_write(void *scratch, const void *bytes, size_t n);
/* The map stays valid after hf_cli_scratch_done(). */
HF_MUST_USE int hf_cli_scratch_map(const struct hf_cli_scratch *scratch, struct hf_cli_map *ret, struct hf_err *err);
