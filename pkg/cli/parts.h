/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/edgeupdate.h"
#include "cli/cli.h"
#include "codec/json.h"

enum { HF_CLI_OBJECT_BYTES = 4 << 20, HF_CLI_KEY_BYTES = 64 << 10, HF_CLI_MAX_ROOTS = 16 };

#define HF_CLI_NEEDS_CONTROLLER                                                                                        \
    "needs holdfast-controller in the cluster, which admits node after node (without a strategy, every selected node " \
    "is admitted at once)"

/* Reads all documents, YAML or JSON. Appends the file's text to `text`, unless NULL. */
HF_MUST_USE int hf_cli_read_objects(struct hf_cli *cli, const char *path, json_t **ret_array, struct hf_buf *text,
                                    struct hf_err *err);

/* -EBADMSG: the file is not one EdgeUpdate. */
HF_MUST_USE int hf_cli_read_update(struct hf_cli *cli, const char *path, json_t **ret_update, struct hf_err *err);

void hf_cli_print_issues(struct hf_cli *cli, const char *path, const struct hf_issues *issues);

/* Prints issues. -EBADMSG: an issue is an error. */
HF_MUST_USE int hf_cli_decode_update(struct hf_cli *cli, const char *path, json_t *json,
                                     struct hf_edgeupdate **ret_update, struct hf_err *err);

size_t hf_cli_count(const struct hf_cli_args *args, const char *name);

/* Sets roots[] to all --update-root, then NULL; without that option, leaves roots[]. -EINVAL: no absolute path, or too
 * many. */
HF_MUST_USE int hf_cli_update_roots(const struct hf_cli_args *args, const char *roots[HF_CLI_MAX_ROOTS + 1],
                                    struct hf_err *err);

/* Adds each --label KEY=VALUE. -EINVAL. */
HF_MUST_USE int hf_cli_read_labels(const struct hf_cli_args *args, json_t *labels, struct hf_err *err);

/* Parses "1h30m" as in Go, or "90d". -EINVAL. */
HF_MUST_USE int hf_cli_duration(const char *option, const char *text, uint64_t *ret_ns, struct hf_err *err);

/* Makes a JSON string in plain form (cli/plain.h). */
json_t *hf_cli_json_text(const char *text);

/* Set the field at `path`, or append. Both take `value`, even if they fail; for NULL they return -ENOMEM. -EBADMSG: a
 * field on the path is not an object. */
HF_MUST_USE int hf_cli_put(json_t *object, const char *path, json_t *value, struct hf_err *err);
HF_MUST_USE int hf_cli_append(json_t *array, json_t *value, struct hf_err *err);

/* Print one line. For a terminal, escape characters that it acts on (base/encoding/plain.h). */
HF_MUST_USE int hf_cli_print_json(struct hf_cli *cli, const json_t *json, struct hf_err *err);
HF_MUST_USE int hf_cli_print_json_text(struct hf_cli *cli, struct hf_view text, struct hf_err *err);
/* For a terminal, '?' replaces characters that it acts on, except line ends and tabs. */
HF_MUST_USE int hf_cli_print_content(struct hf_cli *cli, struct hf_view text, struct hf_err *err);
