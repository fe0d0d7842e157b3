/* SPDX-License-Identifier: Apache-2.0 */
/* delta info. */
#include <errno.h>

#include "base/encoding/hex.h"
#include "cli/delta/patch.h"
#include "cli/parts.h"
#include "codec/sha256.h"
#include "os/fd.h"

const struct hf_cli_option hf_cli_delta_info_options[] = {
    HF_CLI_JSON("print as JSON"),
    {.name = NULL},
};

/* ---- printing ---------------------------------------------------------------------------------------------------- */

/* Returns the start of old's SHA-256 in hex; "": any old file of the right size will do. */
static const char *old_start(const struct hf_delta_info *info, char hex[static HF_SHA256_HEX])
{
    return info->from_any ? "" : hf_hex_encode(info->old_fingerprint, sizeof(info->old_fingerprint), hex);
}

static json_t *common(const struct hf_delta_info *info, const char *method)
{
    char old_hex[HF_SHA256_HEX], new_hex[HF_SHA256_HEX];

    return json_pack("{s:I, s:I, s:s, s:s, s:I, s:s, s:I, s:s, s:I}", "version", (json_int_t)info->version, "method",
                     (json_int_t)info->method, "methodName", method, "profile",
                     info->profile == HF_DELTA_FAST ? "fast" : "small", "oldSize", (json_int_t)info->old_size,
                     "oldSha256Start", old_start(info, old_hex), "newSize", (json_int_t)info->new_size, "newSha256",
                     hf_hex_encode(info->new_sha256, sizeof(info->new_sha256), new_hex), "patchSize",
                     (json_int_t)info->patch_size);
}

static void print_common(struct hf_cli *cli, const struct hf_delta_info *info, const char *method)
{
    char old_hex[HF_SHA256_HEX], new_hex[HF_SHA256_HEX];

    (void)fprintf(cli->out, "format   version %u, method %s, profile %s\n", info->version, method,
                  info->profile == HF_DELTA_FAST ? "fast" : "small");
    (void)fprintf(cli->out, "old      %s...  %llu bytes\n", old_start(info, old_hex),
                  (unsigned long long)info->old_size);
    (void)fprintf(cli->out, "new      %s  %llu bytes\n",
                  hf_hex_encode(info->new_sha256, sizeof(info->new_sha256), new_hex),
                  (unsigned long long)info->new_size);
    if (info->new_size > 0)
        (void)fprintf(cli->out, "patch    %llu bytes (%.2f %% of the new file)\n", (unsigned long long)info->patch_size,
                      100.0 * (double)info->patch_size / (double)info->new_size);
}

/* Takes ownership of `answer` and `more`. */
static int print_json(struct hf_cli *cli, json_t *answer, const char *key, json_t *more, struct hf_err *err)
{
    int r = answer != NULL && more != NULL && json_object_set_new(answer, key, more) == 0
                ? hf_cli_print_json(cli, answer, err)
                : hf_err_set(err, ENOMEM, "out of memory");

    if (answer == NULL)
        json_decref(more);
    json_decref(answer);
    return r;
}

static int print_plain(struct hf_cli *cli, const struct hf_delta_info *info, const struct hf_delta_parts *parts,
                       bool as_json, struct hf_err *err)
{
    const char *method = hf_delta_method_name(info->method);

    if (as_json)
        return print_json(cli, common(info, method), "parts",
                          json_pack("{s:I, s:I, s:I, s:I, s:I}", "header", (json_int_t)parts->header_bytes, "map",
                                    (json_int_t)parts->map_bytes, "blocks", (json_int_t)parts->block_bytes,
                                    "blockCount", (json_int_t)parts->blocks, "largestBlock",
                                    (json_int_t)parts->largest_block_bytes),
                          err);
    print_common(cli, info, method);
    (void)fprintf(cli->out, "parts    header %llu, map %llu, blocks %llu bytes in %llu, the largest %llu\n",
                  (unsigned long long)parts->header_bytes, (unsigned long long)parts->map_bytes,
                  (unsigned long long)parts->block_bytes, (unsigned long long)parts->blocks,
                  (unsigned long long)parts->largest_block_bytes);
    return 0;
}

/* Prints what applying a deep delta needs. */
static int print_inside(struct hf_cli *cli, const struct hf_deep_info *info, bool as_json, struct hf_err *err)
{
    uint64_t delta_bytes = info->delta.patch_size - info->header_bytes - info->recipe_bytes;
    char memory[HF_CLI_BYTES_TEXT], scratch[HF_CLI_BYTES_TEXT];

    if (as_json) {
        json_t *answer = common(&info->delta, "inside");
        if (answer != NULL)
            (void)json_object_set_new(answer, "parts",
                                      json_pack("{s:I, s:I, s:I}", "header", (json_int_t)info->header_bytes, "recipe",
                                                (json_int_t)info->recipe_bytes, "delta", (json_int_t)delta_bytes));
        return print_json(cli, answer, "inside",
                          json_pack("{s:I, s:I, s:I, s:s, s:I, s:s}", "streams", (json_int_t)info->streams,
                                    "memoryBytes", (json_int_t)info->memory_bytes, "scratchBytes",
                                    (json_int_t)info->scratch_bytes, "libraries", info->libraries, "oldParts",
                                    (json_int_t)info->parts_n, "methodName", hf_delta_method_name(info->inner_method)),
                          err);
    }
    print_common(cli, &info->delta, "inside");
    (void)fprintf(cli->out, "inside   %llu streams compressed again, %s of memory, %s of scratch space%s%s\n",
                  (unsigned long long)info->streams, hf_cli_bytes(info->memory_bytes, memory),
                  hf_cli_bytes(info->scratch_bytes, scratch), info->libraries[0] != '\0' ? ", with " : "",
                  info->libraries);
    (void)fprintf(cli->out, "parts    header %llu, recipe %llu, delta %llu bytes (%s)\n",
                  (unsigned long long)info->header_bytes, (unsigned long long)info->recipe_bytes,
                  (unsigned long long)delta_bytes, hf_delta_method_name(info->inner_method));
    return 0;
}

int hf_cli_delta_info(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_closep) int fd = -1;
    struct hf_cli_patch patch = {.fd = -1};
    const struct hf_delta_in in = {&patch, hf_cli_patch_read};
    struct hf_deep_info deep = {.inside = false};
    struct hf_delta_info info;
    struct hf_delta_parts parts;
    bool as_json = hf_cli_flag(args, "json");
    int r = hf_cli_in_open(cli, args->words[0], &fd, err);

    patch.fd = fd;
    if (r == 0)
        r = hf_cli_patch_look(&patch, err);
    bool inside = hf_cli_patch_is_deep(&patch);
    if (r == 0)
        r = inside ? hf_deep_read_info(&in, &deep, err) : hf_delta_check(&in, &info, &parts, err);
    if (r == 0)
        r = inside ? print_inside(cli, &deep, as_json, err) : print_plain(cli, &info, &parts, as_json, err);
    hf_deep_info_done(&deep);
    return r < 0 ? hf_err_wrap(err, r, "patch '%s'", args->words[0]) : 0;
}
