/* SPDX-License-Identifier: Apache-2.0 */
#include "node/resources/kubelet_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "codec/json.h"
#include "node/resources/drop_ins.h"

enum { FILE_BYTES = 64 * 1024 };

static void set_number(const char *text, unsigned *ret)
{
    uint64_t value;

    if (text != NULL && hf_parse_u64(text, 1, 100000, &value) == 0)
        *ret = (unsigned)value;
}

static void set_size(const char *text, uint64_t *ret)
{
    uint64_t value;

    if (text != NULL && hf_parse_quantity(text, &value) == 0)
        *ret = value;
}

/* Adds a threshold of a disk; those of memory and processes have other conditions. */
static void add_threshold(struct hf_kubelet_config *config, const char *signal, size_t n, const char *value)
{
    size_t at = strlen(config->eviction), room = sizeof(config->eviction) - at;
    char text[sizeof(config->eviction)];

    if (memmem(signal, n, "fs.", 3) == NULL)
        return;
    int length = snprintf(text, sizeof(text), "%s%.*s<%s", at > 0 ? ", " : "", (int)n, signal, value);
    if (length > 0 && (size_t)length < room)
        memcpy(config->eviction + at, text, (size_t)length + 1);
}

/* A KubeletConfiguration, or the part of edgecore.yaml with the same fields. */
static void take_fields(struct hf_kubelet_config *config, const json_t *from)
{
    json_t *eviction = hf_json_mutable(hf_json_at(from, "evictionHard")), *value;
    const char *signal;

    config->image_gc_high = (unsigned)hf_json_int_or(from, "imageGCHighThresholdPercent", 0);
    config->log_max_files = (unsigned)hf_json_int_or(from, "containerLogMaxFiles", 0);
    set_size(hf_json_str(from, "containerLogMaxSize"), &config->log_max_bytes);
    json_object_foreach(eviction, signal, value)
        if (json_is_string(value))
            add_threshold(config, signal, strlen(signal), json_string_value(value));
}

/* "signal<value,signal<value" */
static void take_evictions(struct hf_kubelet_config *config, const char *text)
{
    while (*text != '\0') {
        size_t n = strcspn(text, ","), signal = strcspn(text, "<");
        char value[24];
        if (signal < n && n - signal <= sizeof(value)) {
            memcpy(value, text + signal + 1, n - signal - 1);
            value[n - signal - 1] = '\0';
            add_threshold(config, text, signal, value);
        }
        text += n + (text[n] == ',');
    }
}

static const char *value_of(const char *argument, const char *name)
{
    size_t n = strlen(name);

    while (*argument == '-')
        argument++;
    return strncmp(argument, name, n) == 0 && argument[n] == '=' ? argument + n + 1 : NULL;
}

static void take_argument(struct hf_kubelet_config *config, const json_t *item)
{
    const char *argument = json_string_value(item), *value;

    if (argument == NULL)
        return;
    set_number(value_of(argument, "image-gc-high-threshold"), &config->image_gc_high);
    set_number(value_of(argument, "container-log-max-files"), &config->log_max_files);
    set_size(value_of(argument, "container-log-max-size"), &config->log_max_bytes);
    value = value_of(argument, "eviction-hard");
    if (value != NULL) {
        config->eviction[0] = '\0';
        take_evictions(config, value);
    }
}

static json_t *read_yaml(const struct hf_probe_root *at, const char *path)
{
    _cleanup_(hf_freep) char *text = malloc(FILE_BYTES);
    json_t *json = NULL;

    if (text == NULL || !hf_probe_text(at, path, text, FILE_BYTES) ||
        hf_yaml_parse(hf_view_of(text), NULL, &json, NULL) < 0)
        return NULL;
    return json;
}

/* ---- K3s and RKE2 ------------------------------------------------------------------------------------------------ */

/* What K3s or RKE2 gives its kubelet: arguments, and fields of configuration files. An argument wins over a field. */
struct rancher {
    const struct hf_probe_root *at;
    json_t *arguments; /* array */
    json_t *fields;    /* object */
    bool found;
};

static void add_arguments(struct rancher *rancher, const json_t *value)
{
    if (json_is_string(value)) /* one argument may stand without a list */
        (void)json_array_append(rancher->arguments, hf_json_mutable(value));
    else if (json_is_array(value))
        (void)json_array_extend(rancher->arguments, hf_json_mutable(value));
}

/* "kubelet-arg" of a later file replaces those before; "kubelet-arg+" adds to them. */
static void take_config(void *arg, const char *path)
{
    struct rancher *rancher = arg;
    _cleanup_(hf_json_freep) json_t *json = read_yaml(rancher->at, path);
    const json_t *set = json_object_get(json, "kubelet-arg");

    rancher->found = rancher->found || json != NULL;
    if (set != NULL)
        (void)json_array_clear(rancher->arguments);
    add_arguments(rancher, set);
    add_arguments(rancher, json_object_get(json, "kubelet-arg+"));
}

static void take_kubelet_file(void *arg, const char *path)
{
    struct rancher *rancher = arg;
    _cleanup_(hf_json_freep) json_t *json = read_yaml(rancher->at, path);

    if (json_object_update_recursive(rancher->fields, json) == 0)
        rancher->found = true;
}

/* The value of the last argument of this name, or `otherwise`. */
static const char *argument_or(const struct rancher *rancher, const char *name, const char *otherwise)
{
    for (size_t i = json_array_size(rancher->arguments); i > 0; i--) {
        const char *argument = json_string_value(json_array_get(rancher->arguments, i - 1));
        const char *value = argument != NULL ? value_of(argument, name) : NULL;
        if (value != NULL)
            return value;
    }
    return otherwise;
}

/* Source: docs.k3s.io, "Configuration Options"; pkg/daemons/agent/agent.go: since 1.32 K3s gives its kubelet the folder
 * kubelet.conf.d, into which it copies what the arguments config and config-dir name. */
static bool read_rancher(const struct hf_probe_root *at, const char *name, struct hf_kubelet_config *config)
{
    _cleanup_(hf_json_freep) json_t *arguments = json_array(), *fields = json_object();
    struct rancher rancher = {.at = at, .arguments = arguments, .fields = fields};
    char path[64], folder[64];
    const char *folders[] = {folder};

    if (arguments == NULL || fields == NULL)
        return false;
    (void)snprintf(path, sizeof(path), "/etc/rancher/%s/config.yaml", name);
    take_config(&rancher, path);
    (void)snprintf(folder, sizeof(folder), "/etc/rancher/%s/config.yaml.d", name);
    hf_drop_ins_each(at, folders, 1, ".yaml", take_config, &rancher);
    const char *file = argument_or(&rancher, "config", NULL);
    if (file != NULL)
        take_kubelet_file(&rancher, file);
    (void)snprintf(folder, sizeof(folder), "/var/lib/rancher/%s/agent/etc/kubelet.conf.d", name);
    hf_drop_ins_each(at, folders, 1, ".conf", take_kubelet_file, &rancher);
    folders[0] = argument_or(&rancher, "config-dir", NULL);
    if (folders[0] != NULL)
        hf_drop_ins_each(at, folders, 1, ".conf", take_kubelet_file, &rancher);
    take_fields(config, fields);
    for (size_t i = 0; i < json_array_size(arguments); i++)
        take_argument(config, json_array_get(arguments, i));
    return rancher.found;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static bool read_fields(const struct hf_probe_root *at, const char *path, const char *part,
                        struct hf_kubelet_config *config)
{
    _cleanup_(hf_json_freep) json_t *json = read_yaml(at, path);

    if (json == NULL)
        return false;
    take_fields(config, part != NULL ? hf_json_at(json, part) : json);
    return true;
}

void hf_kubelet_config_read(const struct hf_probe_root *at, struct hf_kubelet_config *ret_config)
{
    *ret_config = (struct hf_kubelet_config){.found = false};
    ret_config->found =
        read_fields(at, "/var/lib/kubelet/config.yaml", NULL, ret_config) || read_rancher(at, "k3s", ret_config) ||
        read_rancher(at, "rke2", ret_config) ||
        read_fields(at, "/etc/kubeedge/config/edgecore.yaml", "modules.edged.tailoredKubeletConfig", ret_config);
}

void hf_kubelet_config_describe(const struct hf_kubelet_config *config, char *text, size_t n)
{
    text[0] = '\0';
    if (config->image_gc_high != 0 && config->eviction[0] != '\0')
        (void)snprintf(text, n, "The kubelet removes unused images from %u %% on, and evicts pods at %s",
                       config->image_gc_high, config->eviction);
    else if (config->image_gc_high != 0)
        (void)snprintf(text, n, "The kubelet removes unused images from %u %% on", config->image_gc_high);
    else if (config->eviction[0] != '\0')
        (void)snprintf(text, n, "The kubelet evicts pods at %s", config->eviction);
}
