/* cli/parts.h - what several commands share: objects in files, signing, hashes, times and sizes as people write them. */
#pragma once

#include "api/edgeupdate.h"
#include "cli/cli.h"
#include "codec/json.h"

enum { HF_CLI_OBJECT_BYTES = 4 << 20, HF_CLI_KEY_BYTES = 64 << 10 };

/* Said of an EdgeUpdate with a strategy. */
#define HF_CLI_NEEDS_CONTROLLER                                                                                        \
    "needs holdfast-controller, which this version does not have: nodes wait until status.admission admits them "      \
    "(without a strategy, every selected node is admitted)"

/* Every document of a YAML or JSON file. */
HF_MUST_USE int hf_cli_read_objects(struct hf_cli *cli, const char *path, json_t **ret_array, struct hf_buf *text,
                                    struct hf_err *err);

/* The one EdgeUpdate of a file; -EBADMSG when there is none or more than one object. */
HF_MUST_USE int hf_cli_read_update(struct hf_cli *cli, const char *path, json_t **ret_update, struct hf_err *err);

/* Decode, or print every issue to cli->err as "path: what" and return -EBADMSG. Warnings are printed too. */
HF_MUST_USE int hf_cli_decode_update(struct hf_cli *cli, const char *path, json_t *json,
                                     struct hf_edgeupdate **ret_update, struct hf_err *err);

/* hf_buf_done() for private keys. */
void hf_cli_wipe(struct hf_buf *secret);

/* How many times an option was given. */
size_t hf_cli_count(const struct hf_cli_args *args, const char *name);

/* "90d" besides what Go's durations can say. -EINVAL with *err naming the option. */
HF_MUST_USE int hf_cli_duration(const char *option, const char *text, uint64_t *ret_ns, struct hf_err *err);

/* json_t constructors that turn NULL into -ENOMEM; `value` is taken over in any case. */
HF_MUST_USE int hf_cli_put(json_t *object, const char *path, json_t *value, struct hf_err *err);
HF_MUST_USE int hf_cli_append(json_t *array, json_t *value, struct hf_err *err);

/* Print as one line of JSON. */
HF_MUST_USE int hf_cli_print_json(struct hf_cli *cli, const json_t *json, struct hf_err *err);
