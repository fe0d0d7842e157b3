/* SPDX-License-Identifier: Apache-2.0 */
#include "node/storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"

enum { MAX_LAYERS = 8, PATH_BYTES = 1024, MOUNTINFO_BYTES = 64 * 1024 };

const char *hf_storage_name(enum hf_storage storage)
{
    static const char *const names[] = {"", "emmc", "sd", "ssd", "hdd", "nvme", "virtual"};

    return (size_t)storage < HF_LEN(names) ? names[storage] : "";
}

static bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Reads a file in the folder of a disk. */
static bool disk_text(const struct hf_probe_root *at, const char *disk, const char *file, char *text, size_t n)
{
    char path[PATH_BYTES];

    return snprintf(path, sizeof(path), "%s/%s", disk, file) < (int)sizeof(path) && hf_probe_text(at, path, text, n);
}

/* Only vendor or model tell the virtual disk of a hypervisor from any other SCSI or ATA disk. */
static bool made_up(const struct hf_probe_root *at, const char *disk)
{
    static const char *const files[] = {"device/vendor", "device/model"};
    static const char *const makers[] = {"QEMU", "VMware", "Msft", "VBOX", "Virtual"};
    char text[128];

    for (size_t i = 0; i < HF_LEN(files); i++) {
        if (!disk_text(at, disk, files[i], text, sizeof(text)))
            continue;
        for (size_t k = 0; k < HF_LEN(makers); k++)
            if (strstr(text, makers[k]) != NULL)
                return true;
    }
    return false;
}

static enum hf_storage of_mmc(const struct hf_probe_root *at, const char *disk)
{
    char text[32];

    if (!disk_text(at, disk, "device/type", text, sizeof(text)))
        return HF_STORAGE_UNKNOWN;
    return strcmp(text, "SD") == 0 ? HF_STORAGE_SD : strcmp(text, "MMC") == 0 ? HF_STORAGE_EMMC : HF_STORAGE_UNKNOWN;
}

static enum hf_storage of_scsi(const struct hf_probe_root *at, const char *disk)
{
    char text[8];

    if (made_up(at, disk))
        return HF_STORAGE_VIRTUAL;
    if (!disk_text(at, disk, "queue/rotational", text, sizeof(text)))
        return HF_STORAGE_UNKNOWN;
    return text[0] == '0' ? HF_STORAGE_SSD : HF_STORAGE_HDD;
}

/* Decides by the kernel's name of a whole disk; `disk` is its folder under /sys/class/block. */
static enum hf_storage of_disk(const struct hf_probe_root *at, const char *name, const char *disk)
{
    if (starts(name, "nvme"))
        return made_up(at, disk) ? HF_STORAGE_VIRTUAL : HF_STORAGE_NVME;
    if (starts(name, "mmcblk"))
        return of_mmc(at, disk);
    if (starts(name, "vd") || starts(name, "xvd") || starts(name, "loop") || starts(name, "nbd") ||
        starts(name, "zram") || starts(name, "ram"))
        return HF_STORAGE_VIRTUAL;
    if (starts(name, "sd") || starts(name, "hd"))
        return of_scsi(at, disk);
    return HF_STORAGE_UNKNOWN;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* Replaces a partition by its disk. The folder of a partition is inside its disk's, and the link
 * /sys/class/block/<name> leads there. */
static bool whole_disk(const struct hf_probe_root *at, char *name, size_t n)
{
    char path[PATH_BYTES], link[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "/sys/class/block/%s/partition", name);
    if (!hf_probe_exists(at, path))
        return true;
    (void)snprintf(path, sizeof(path), "/sys/class/block/%s", name);
    if (!hf_probe_link(at, path, link, sizeof(link)))
        return false;
    char *slash = strrchr(link, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return snprintf(name, n, "%s", last_part(link)) < (int)n;
}

/* Replaces the name of a partition or layer by that of the disk below. */
static bool lowest(const struct hf_probe_root *at, char *name, size_t n)
{
    char disk[PATH_BYTES], lower[128];

    for (int layer = 0; layer < MAX_LAYERS; layer++) {
        if (!whole_disk(at, name, n))
            return false;
        (void)snprintf(disk, sizeof(disk), "/sys/class/block/%s/slaves", name);
        if (!hf_probe_first(at, disk, "", lower, sizeof(lower)))
            return true;
        (void)snprintf(name, n, "%s", lower);
    }
    return false;
}

/* mountinfo(5): "36 35 0:45 / /mnt opts ... - btrfs /dev/sda2 opts": the source follows the single dash. */
static bool mounted_from(const struct hf_probe_root *at, unsigned major, unsigned minor, char *name, size_t n)
{
    _cleanup_(hf_freep) char *text = malloc(MOUNTINFO_BYTES);
    char number[32], source[256];
    struct hf_view rest, line;

    if (text == NULL || !hf_probe_text(at, "/proc/self/mountinfo", text, MOUNTINFO_BYTES))
        return false;
    (void)snprintf(number, sizeof(number), " %u:%u ", major, minor);
    rest = hf_view_of(text);
    while (hf_view_split(&rest, '\n', &line)) {
        char one[2048];
        (void)snprintf(one, sizeof(one), "%.*s", (int)line.n, line.p);
        const char *dash = strstr(one, " - ");
        if (strstr(one, number) == NULL || dash == NULL || sscanf(dash, " - %*s %255s", source) != 1)
            continue;
        return starts(source, "/dev/") && snprintf(name, n, "%s", last_part(source)) < (int)n;
    }
    return false;
}

/* Finds the name of the device with this number. */
static bool device_name(const struct hf_probe_root *at, unsigned major, unsigned minor, char *name, size_t n)
{
    char path[64], link[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major, minor);
    if (hf_probe_link(at, path, link, sizeof(link)))
        return snprintf(name, n, "%s", last_part(link)) < (int)n;
    return major == 0 && mounted_from(at, major, minor, name, n);
}

bool hf_storage_disk(const struct hf_probe_root *at, unsigned major, unsigned minor, char *name, size_t n)
{
    return (major != 0 || minor != 0) && device_name(at, major, minor, name, n) && lowest(at, name, n);
}

enum hf_storage hf_storage_of(const struct hf_probe_root *at, unsigned major, unsigned minor)
{
    char name[128], disk[PATH_BYTES];

    if (major == 0 && minor == 0)
        return HF_STORAGE_UNKNOWN;
    if (!device_name(at, major, minor, name, sizeof(name)))
        return major == 0 ? HF_STORAGE_VIRTUAL : HF_STORAGE_UNKNOWN;
    if (!lowest(at, name, sizeof(name)))
        return HF_STORAGE_UNKNOWN;
    (void)snprintf(disk, sizeof(disk), "/sys/class/block/%s", name);
    return of_disk(at, name, disk);
}
