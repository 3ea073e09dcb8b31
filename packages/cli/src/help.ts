import type { Command, Help, Option } from 'commander'
import { zhHelp } from './messages/zh-help.js'

/** Turns what a program and all its commands say in their help into Chinese. */
export function speakChinese(program: Command): void {
  program.configureHelp({
    ...program.configureHelp(),
    // commander's own words: titles, and what it adds to an option
    styleTitle: title => chinese(title),
    optionDescription(this: Help, option: Option) {
      return added(option)
    },
  })
  program.helpCommand('help [command]', chinese('show what a command does'))
  for (const command of commandsOf(program)) {
    command.description(chinese(command.description()))
    for (const option of command.options) option.description = chinese(option.description)
    command.configureHelp(program.configureHelp())
  }
}

/** A text of the help; one that is not in the catalogue stays English. */
export function chinese(text: string): string {
  return zhHelp.find(text.trim()) ?? text
}

export function commandsOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(commandsOf)]
}

function added({ description, argChoices, defaultValue }: Option): string {
  const facts = [
    ...(argChoices ? [`${chinese('choices:')}${argChoices.join('、')}`] : []),
    ...(typeof defaultValue === 'string' ? [`${chinese('default:')}${defaultValue}`] : []),
  ]
  return facts.length > 0 ? `${chinese(description)}（${facts.join('；')}）` : chinese(description)
}
