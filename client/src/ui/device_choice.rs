//! Another camera, microphone or loudspeaker, chosen by its name.

use egui::Ui;
use media::{DeviceInfo, DeviceList};

use super::button::Button;
use super::icon::Icon;
use super::message::text;
use super::widget::muted_ui;
use crate::session::{Command, Device};

/// Paints the button that opens the choice, and the choice where it is open.
pub(crate) fn choice_ui(
    ui: &mut Ui,
    device: Device,
    list: Option<&DeviceList>,
    open: &mut Option<Device>,
) -> Option<Command> {
    let is_open = *open == Some(device);
    let (label, spoken) = if is_open { ("device-close", "device-close") } else { ("device-change", spoken(device)) };
    if ui.add(Button::quiet(text(label)).compact().spoken(text(spoken))).clicked() {
        *open = (!is_open).then_some(device);
        return (!is_open).then_some(Command::LookForDevices);
    }
    if !is_open {
        return None;
    }
    let Some(list) = list else {
        muted_ui(ui, &text("devices-checking"));
        return None;
    };
    let found = match device {
        Device::Camera => &list.cameras,
        Device::Microphone => &list.microphones,
        Device::Speaker => &list.speakers,
    };
    let command = names_ui(ui, device, found);
    if matches!(command, Some(Command::UseDevice { .. })) {
        *open = None;
    }
    command
}

fn names_ui(ui: &mut Ui, device: Device, found: &[DeviceInfo]) -> Option<Command> {
    let mut command = None;
    if ui.add(Button::secondary(text("device-default")).full_width()).clicked() {
        command = Some(Command::UseDevice { device, id: None });
    }
    for DeviceInfo { id, name } in found {
        if ui.add(Button::secondary(name).full_width()).clicked() {
            command = Some(Command::UseDevice { device, id: Some(id.clone()) });
        }
    }
    if found.is_empty() {
        muted_ui(ui, &text("device-none"));
    }
    if ui.add(Button::quiet(text("device-look")).icon(Icon::Eye)).clicked() {
        command = Some(Command::LookForDevices);
    }
    command
}

const fn spoken(device: Device) -> &'static str {
    match device {
        Device::Camera => "device-change-camera",
        Device::Microphone => "device-change-microphone",
        Device::Speaker => "device-change-speaker",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::Stage;

    fn stage(list: Option<DeviceList>) -> Stage<'static, Option<Device>> {
        Stage::new(None, move |ui, open| choice_ui(ui, Device::Microphone, list.as_ref(), open))
    }

    #[test]
    fn a_headset_is_found_by_its_name_and_taken_by_one_press() {
        let headset = DeviceInfo { id: "usb-7".into(), name: "Headset".into() };
        let mut stage = stage(Some(DeviceList { microphones: vec![headset], ..DeviceList::default() }));
        stage.click("Change the microphone");
        assert!(matches!(stage.command(), Some(Command::LookForDevices)));
        stage.click("Headset");
        let Some(Command::UseDevice { device, id }) = stage.command() else { panic!("a device was chosen") };
        assert_eq!((device, id.as_deref()), (Device::Microphone, Some("usb-7")));
        assert!(!stage.shows("Headset"), "the choice closes");
    }

    #[test]
    fn with_nothing_found_one_can_look_again() {
        let mut stage = stage(Some(DeviceList::default()));
        stage.click("Change the microphone");
        assert!(stage.shows("None was found. Plug it in, then look again."));
        stage.command();
        stage.click("Look again");
        assert!(matches!(stage.command(), Some(Command::LookForDevices)));
        assert!(stage.shows("None was found."), "the choice stays open");
    }

    #[test]
    fn what_the_system_chooses_is_a_choice_too() {
        let mut stage = stage(Some(DeviceList::default()));
        stage.click("Change the microphone");
        stage.click("What the system chooses");
        assert!(matches!(stage.command(), Some(Command::UseDevice { device: Device::Microphone, id: None })));
    }
}
