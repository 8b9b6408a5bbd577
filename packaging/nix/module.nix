# NixOS: `programs.greenroom.enable = true;` adds the virtual camera at every start, and greenroom to every user's session.
self:
{ config, lib, pkgs, ... }:

let
  cfg = config.programs.greenroom;
in
{
  options.programs.greenroom = {
    enable = lib.mkEnableOption "greenroom, a virtual camera that puts you before another background";

    package = lib.mkOption {
      type = lib.types.package;
      default = self.packages.${pkgs.stdenv.hostPlatform.system}.default;
      description = "The package of greenroom.";
    };

    loopback = {
      enable = lib.mkOption {
        type = lib.types.bool;
        default = true;
        description = ''
          Whether to load v4l2loopback with one node for greenroom. Its options are for all of its nodes: leave this out
          if your configuration has options for v4l2loopback, and add a node labelled "greenroom" there.
        '';
      };

      number = lib.mkOption {
        type = lib.types.ints.between 10 63;
        default = 10;
        description = "N of /dev/videoN.";
      };

      label = lib.mkOption {
        type = lib.types.strMatching "[A-Za-z0-9 ._-]{1,31}";
        default = "greenroom";
        description = "The name under which programs list the camera.";
      };
    };
  };

  config = lib.mkIf cfg.enable (lib.mkMerge [
    {
      environment.systemPackages = [ cfg.package ];
      services.udev.packages = [ cfg.package ];
      services.dbus.packages = [ cfg.package ];
      # The package's own unit.
      systemd.packages = [ cfg.package ];
      systemd.user.services.greenroom.wantedBy = [ "default.target" ];
    }
    (lib.mkIf cfg.loopback.enable {
      boot.extraModulePackages = [ config.boot.kernelPackages.v4l2loopback ];
      boot.kernelModules = [ "v4l2loopback" ];
      boot.extraModprobeConfig = ''
        options v4l2loopback devices=1 video_nr=${toString cfg.loopback.number} card_label="${cfg.loopback.label}" exclusive_caps=1 max_buffers=4
      '';
    })
  ]);
}
