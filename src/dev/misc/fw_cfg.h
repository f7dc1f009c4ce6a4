/*
 * fw_cfg.h: what the machine tells firmware by the fw_cfg device (floor 4). Data belongs to the device after it was added (copied).
 */
#ifndef LYRE_DEV_FW_CFG_H
#define LYRE_DEV_FW_CFG_H

#include "dev/device.h"

enum fw_cfg_key {
    FW_CFG_SIGNATURE = 0, FW_CFG_ID = 1, FW_CFG_UUID = 2, FW_CFG_RAM_SIZE = 3, FW_CFG_NOGRAPHIC = 4, FW_CFG_NB_CPUS = 5,
    FW_CFG_KERNEL_ADDR = 7, FW_CFG_KERNEL_SIZE = 8, FW_CFG_INITRD_ADDR = 10, FW_CFG_INITRD_SIZE = 11, FW_CFG_BOOT_MENU = 14,
    FW_CFG_MAX_CPUS = 15, FW_CFG_KERNEL_DATA = 17, FW_CFG_INITRD_DATA = 18, FW_CFG_CMDLINE_SIZE = 20, FW_CFG_CMDLINE_DATA = 21,
    FW_CFG_SETUP_SIZE = 23, FW_CFG_SETUP_DATA = 24, FW_CFG_FILE_DIR = 25, FW_CFG_FILE_FIRST = 32
};

/* An entry by key; a second one of the key replaces the first. -ENOSPC, -E2BIG. */
int fw_cfg_set(struct dev *d, unsigned key, const void *data, uint32_t len, struct err *e);
int fw_cfg_set_num(struct dev *d, unsigned key, uint64_t v, unsigned bytes, struct err *e); /* little endian */
/* A file of the directory ("opt/..", "etc/..."), names up to 55 letters. writable: firmware may write it by DMA (write is called then). */
int fw_cfg_file(struct dev *d, const char *name, const void *data, uint32_t len, struct err *e);
int fw_cfg_file_rw(struct dev *d, const char *name, const void *data, uint32_t len, void (*written)(void *ctx, const uint8_t *data, uint32_t len),
                   void *ctx, struct err *e);

#endif
