/*
 * rom.c: read-only memory of a board: what the machine puts there (boot code) is all that is in it. `size` is its length.
 */
#include "dev/device.h"

#define SELF struct rom_dev

struct rom_dev {
    struct dev dev;
    uint64_t size;
    struct ram *ram;
    struct window *rom;
    char *name;
    bool writable;
};

static int rom_init(void *dev, struct err *e)
{
    struct rom_dev *s = dev;
    if (s->size > 64 << 20) return err_set(e, EINVAL, "rom: at most 64 MiB");
    s->ram = ram_new(s->dev.board->mem, s->name ? s->name : s->dev.id ? s->dev.id : "rom", ALIGN_UP(MAX(s->size, 1u), (uint64_t)RAM_PAGE), false, e);
    if (!s->ram) return -EINVAL;
    s->ram->readonly = !s->writable;
    return 0;
}

static int rom_map(void *dev, uint64_t at, struct err *e)
{
    struct rom_dev *s = dev;
    if (s->rom) window_move(s->rom, at);
    else s->rom = space_map_ram(s->dev.board->space, at, s->ram, 0, s->size, 0);
    return 0;
}

static void rom_exit(void *dev)
{
    struct rom_dev *s = dev;
    window_free(s->rom);
    ram_free(s->ram);
}

const struct device rom_device = {
    .name = "rom", .help = "read-only memory", .size = sizeof(struct rom_dev),
    PROPS(PROP_SIZE("size", size, 4096), PROP_STR("name", name, NULL), PROP_BOOL("writable", writable, false)),
    .init = rom_init, .map = rom_map, .exit = rom_exit,
};
