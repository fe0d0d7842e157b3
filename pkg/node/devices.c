/* SPDX-License-Identifier: Apache-2.0 */
#include "node/devices.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "base/view.h"

enum { UEVENT_BYTES = 512, MAX_DEVICES = 8192 };

struct device_search {
    const struct hf_probe_root *at;
    const char *folder, *name; /* of /sys/dev; of the device below /dev */
    unsigned devices;
    bool found;
};

static int look_at(void *arg, const char *number)
{
    struct device_search *search = arg;
    char path[PATH_MAX], text[UEVENT_BYTES];
    struct hf_view rest, line;

    if (++search->devices > MAX_DEVICES)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/%s/uevent", search->folder, number);
    if (!hf_probe_text(search->at, path, text, sizeof(text)))
        return 0;
    rest = hf_view_of(text);
    while (!search->found && hf_view_split(&rest, '\n', &line))
        search->found = line.n > 8 && memcmp(line.p, "DEVNAME=", 8) == 0 &&
                        hf_view_eq((struct hf_view){line.p + 8, line.n - 8}, search->name);
    return search->found ? -1 : 0;
}

static bool is_link_of_udev(const struct hf_probe_root *at, const char *name)
{
    char path[PATH_MAX] = "/run/udev/links/";
    size_t n = strlen(path);

    for (; *name != '\0' && n + 5 < sizeof(path); name++)
        n += (size_t)snprintf(path + n, sizeof(path) - n, *name == '/' ? "\\x2f" : "%c", *name);
    return *name == '\0' && hf_probe_exists(at, path);
}

bool hf_devices_has(const struct hf_probe_root *at, const char *path)
{
    static const char dev[] = "/dev/";
    static const char *const folders[] = {"/sys/dev/char", "/sys/dev/block"};
    struct device_search search = {.at = at};

    if (strncmp(path, dev, strlen(dev)) != 0 || path[strlen(dev)] == '\0')
        return false;
    search.name = path + strlen(dev);
    for (size_t i = 0; i < HF_LEN(folders) && !search.found; i++) {
        search.folder = folders[i];
        (void)hf_probe_each(at, folders[i], look_at, &search);
    }
    return search.found || is_link_of_udev(at, search.name);
}
